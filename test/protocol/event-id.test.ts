import t from 'tap'
import { formatEventId, parseEventId } from '../../protocol/event-id.ts'

await t.test('reads what it wrote', async (t) => {
  for (const [epoch, offset] of [
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
  'a:0',
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
