import t from 'tap'
import { negotiateHeartBeat, parseHeartBeat } from '../../protocol/heart-beat.ts'

await t.test('reads two plain numbers; none are never', async (t) => {
  t.strictSame(parseHeartBeat('500,10000'), { sendMs: 500, receiveMs: 10_000 })
  t.strictSame(parseHeartBeat('0,0'), { sendMs: 0, receiveMs: 0 })
  t.strictSame(parseHeartBeat(undefined), { sendMs: 0, receiveMs: 0 })
})

await t.test('passes the longest delay of a timer and refuses one more', async (t) => {
  t.strictSame(parseHeartBeat('2147483647,2147483647'), { sendMs: 2_147_483_647, receiveMs: 2_147_483_647 })
  t.throws(() => parseHeartBeat('2147483648,0'), { code: 'bad-heart-beat' })
  t.throws(() => parseHeartBeat('0,2147483648'), { code: 'bad-heart-beat' })
})

for (const value of [
  '',
  '10',
  '10,',
  ',10',
  '1,2,3',
  '-1,0',
  ' 1,0',
  '1, 0',
  '1.5,0',
  '1e3,0',
  'a,b',
  '99999999999,0',
]) {
  await t.test(`refuses ${JSON.stringify(value)}`, async (t) => {
    t.throws(() => parseHeartBeat(value), { code: 'bad-heart-beat', message: 'invalid heart-beat' })
  })
}

await t.test('agrees on the slower wish in each direction by itself', async (t) => {
  const ours = { sendMs: 10_000, receiveMs: 10_000 }
  t.strictSame(negotiateHeartBeat(ours, { sendMs: 500, receiveMs: 30_000 }), {
    sendMs: 30_000,
    receiveMs: 10_000,
  })
  t.strictSame(negotiateHeartBeat({ sendMs: 1, receiveMs: 2 }, { sendMs: 3, receiveMs: 4 }), {
    sendMs: 4,
    receiveMs: 3,
  })
})

await t.test('agrees on none where either side says 0', async (t) => {
  const ours = { sendMs: 10_000, receiveMs: 10_000 }
  t.strictSame(negotiateHeartBeat(ours, { sendMs: 0, receiveMs: 5 }), { sendMs: 10_000, receiveMs: 0 })
  t.strictSame(negotiateHeartBeat(ours, { sendMs: 5, receiveMs: 0 }), { sendMs: 0, receiveMs: 10_000 })
  t.strictSame(negotiateHeartBeat({ sendMs: 0, receiveMs: 0 }, ours), { sendMs: 0, receiveMs: 0 })
})
