import t from 'tap'
import { validate, version } from 'uuid'
import { timeOrderedId } from '../../src/lib/time-ordered-id.ts'

const msOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)

await t.test('makes UUIDs of version 7 that tell when', (t) => {
  const before = Date.now()
  const id = timeOrderedId()
  t.ok(validate(id))
  t.equal(version(id), 7)
  t.ok(msOf(id) >= before && msOf(id) <= Date.now())
  t.end()
})

await t.test('makes each greater than the one before, many in a millisecond', (t) => {
  const ids = Array.from({ length: 20_000 }, () => timeOrderedId())
  t.strictSame(ids.toSorted(), ids)
  t.equal(new Set(ids).size, ids.length)
  t.ok(new Set(ids.map(msOf)).size < ids.length / 2, 'several fell into one millisecond')
  // Eight bytes at the end are random, for all of them.
  t.equal(new Set(ids.map((id) => id.slice(-10))).size, ids.length)
  t.end()
})

await t.test('goes on upwards where the clock is put back', (t) => {
  const first = timeOrderedId()
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  Date.now = () => now() - 60_000
  const later = Array.from({ length: 1000 }, () => timeOrderedId())
  t.strictSame([first, ...later].toSorted(), [first, ...later])
  t.end()
})
