import t from 'tap'
import { Attempts } from '../../src/lib/attempts.ts'

await t.test('makes a key wait once it has tried as often as it may, until its window ends', async (t) => {
  let nowMs = 0
  const attempts = new Attempts({ max: 2, windowMs: 1000, now: () => nowMs })
  attempts.count('a')
  t.equal(attempts.waitMs('a'), 0)
  nowMs = 400
  attempts.count('a')
  t.equal(attempts.waitMs('a'), 600, 'from the first attempt on')
  t.equal(attempts.waitMs('b'), 0, 'for one key only')
  nowMs = 1000
  t.equal(attempts.waitMs('a'), 0)
  attempts.count('a')
  t.equal(attempts.waitMs('a'), 0, 'and begins anew')
})

await t.test('forgets what has ended, and what ends first where it may remember no more', async (t) => {
  let nowMs = 0
  const attempts = new Attempts({ max: 1, windowMs: 1000, maxKeys: 3, now: () => nowMs })
  for (const key of ['a', 'b', 'c']) {
    attempts.count(key)
    nowMs += 10
  }
  t.equal(attempts.size, 3)
  attempts.count('d')
  t.equal(attempts.size, 3, 'the bound')
  t.equal(attempts.waitMs('a'), 0, 'the oldest is gone')
  t.not(attempts.waitMs('b'), 0)
  nowMs = 10_000
  attempts.count('e')
  t.equal(attempts.size, 1)
})

await t.test('counts by the clock of the process where it is given none', async (t) => {
  const attempts = new Attempts({ max: 1 })
  attempts.count('a')
  const waitMs = attempts.waitMs('a')
  t.ok(waitMs > 0 && waitMs <= 60_000)
})
