import t from 'tap'
import { Tally } from '../../src/lib/tally.ts'

await t.test('counts what each key has, and gives back once', async (t) => {
  const tally = new Tally()
  t.equal(tally.of('a'), 0)
  const first = tally.take('a')
  const second = tally.take('a')
  tally.take('b')
  t.same([tally.of('a'), tally.of('b')], [2, 1])
  first()
  first()
  t.equal(tally.of('a'), 1)
  second()
  t.equal(tally.of('a'), 0)
})
