import t from 'tap'
import { Entry } from '../../src/fanout/entry.ts'
import { EntryIndex, type EntryPlace } from '../../src/fanout/entry-index.ts'

await t.test('keeps nothing of a user whose last entry has gone', async (t) => {
  const index = new EntryIndex(1)
  const entry = new Entry({
    watch: Promise.resolve({ close: () => {} }),
    gate: undefined,
    report: { delivered: () => {}, fault: () => {} },
  })
  const places: EntryPlace[] = [undefined, '/user/queue/a', '/user/queue/b'].map((userDestination) => ({
    target: { kind: 'user', user: 'ann' },
    userDestination,
  }))
  for (const place of places) index.set(place, entry)
  for (const place of places) {
    t.equal(index.get(place), entry)
    t.equal(index.userCount, 1)
    index.delete(place)
    t.equal(index.get(place), undefined)
  }
  t.equal(index.userCount, 0)
  for (const place of places) index.delete(place)
  t.equal(index.userCount, 0, 'deleting what is not there does nothing')
})
