import t from 'tap'
import { formatEventId, parseEventId, streamEpoch } from '../../protocol/event-id.ts'

await t.test('reads what it wrote', async (t) => {
  for (const [epoch, offset] of [
    ['a', 0],
    ['a', 1],
    ['A-z_0', 42],
    ['x'.repeat(64), Number.MAX_SAFE_INTEGER],
  ] as const) {
    t.strictSame(parseEventId(formatEventId(epoch, offset)), { epoch, offset })
  }
})

for (const text of [
  '',
  ':',
  'a',
  'a:',
  ':1',
  'a:00',
  'a:01',
  'a:-1',
  'a:1.5',
  'a:1e3',
  'a: 1',
  'a:1 ',
  'a:b:1',
  'é:1',
  `${'x'.repeat(65)}:1`,
  'a:9007199254740992',
  'a:12345678901234567',
  'a:1\n',
]) {
  await t.test(`takes ${JSON.stringify(text)} for none`, async (t) => {
    t.equal(parseEventId(text), undefined)
  })
}

await t.test('tells the ids of one stream from those of another, and of another store', async (t) => {
  const epochs = ['/topic/messages', '/topic/rooms.a', '/topic/rooms.b', '/user/a/queue/orders'].flatMap(
    (stream) => [streamEpoch('eY586kCU', stream), streamEpoch('eY586kCV', stream)],
  )
  t.equal(new Set(epochs).size, 8)
  for (const epoch of epochs) {
    t.match(epoch, /^eY586kC[UV][0-9a-z]{7}$/)
    t.strictSame(parseEventId(formatEventId(epoch, 7)), { epoch, offset: 7 })
  }
  t.equal(streamEpoch('e', '/topic/messages'), streamEpoch('e', '/topic/messages'))
  t.equal(streamEpoch('', ''), '0ztntfp', 'the hash of nothing is the offset basis')
})
