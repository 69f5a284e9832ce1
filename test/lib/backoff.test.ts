import * as fc from 'fast-check'
import t from 'tap'
import { backoffMs } from '../../src/lib/backoff.ts'

await t.test('doubles its ceiling at each attempt, up to the longest', async (t) => {
  const ceilings = [0, 1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, 100, 2000, () => 1))
  t.same(ceilings, [100, 200, 400, 800, 1600, 2000])
})

await t.test('spreads evenly from nothing to the ceiling', async (t) => {
  t.same(
    [0, 0.25, 0.5, 1].map((random) => backoffMs(2, 100, 2000, () => random)),
    [0, 100, 200, 400],
  )
})

await t.test('is a whole number within its bounds, however often it was tried', async (t) => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(10_000), fc.nat(60_000), (attempt, baseMs, maxMs) => {
      const ms = backoffMs(attempt, baseMs, maxMs)
      return Number.isInteger(ms) && ms >= 0 && ms <= maxMs
    }),
  )
  t.pass('no counterexample')
})
