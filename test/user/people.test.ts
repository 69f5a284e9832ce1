import t from 'tap'
import { People } from '../../src/user/people.ts'
import { Warnings } from '../stream/rig.ts'
import { until } from '../support/until.ts'

await t.test('writes each name once, forgets the oldest beyond its bound, and tries again', async (t) => {
  const written: string[][] = []
  let failures = 1
  const remember = async (names: readonly string[]): Promise<void> => {
    if (failures-- > 0) throw new Error('away')
    written.push([...names])
  }
  const log = new Warnings()
  const people = new People({ store: { people: { remember } }, log, intervalMs: 1, max: 2 })
  t.teardown(() => people.close())
  for (const name of ['alice', 'alice', 'bob', 'carl']) people.seen(name)
  t.equal(people.counters.dropped, 1)
  people.start()
  await until(() => written.length === 1)
  for (const name of ['alice', 'bob', 'carl']) people.seen(name)
  await until(() => written.length === 2)
  people.seen('alice')
  await until(() => written.length === 3)
  t.strictSame(written, [['alice', 'bob'], ['carl'], ['alice']])
  t.strictSame(log.events, ['people-not-stored'])
})
