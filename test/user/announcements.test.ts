import t from 'tap'
import { pino } from 'pino'
import type { Broker } from '../../src/broker/broker.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { Announcements } from '../../src/user/announcements.ts'

const log = pino({ level: 'silent' })
const AT = '2030-01-31T09:30:00.000Z'
const crowd = (count: number) => Array.from({ length: count }, (_, i) => ({ user: `user-${i}`, room: null }))

await t.test('holds no more than 1,000 that the broker has not taken, and counts the others', async (t) => {
  const taken = deferred()
  let published = 0
  const publish: Broker['publish'] = () => {
    published += 1
    return taken.promise
  }
  const announcements = new Announcements({ broker: { publish }, log })
  const first = announcements.tell({ came: crowd(700), at: AT })
  const second = announcements.tell({ went: crowd(700), at: AT })
  t.equal(published, 1000)
  taken.resolve()
  await Promise.all([first, second])
  t.same(announcements.counters, { announced: 1000, unannounced: 400 })
  await announcements.tell({ came: crowd(1000), at: AT })
  t.same(announcements.counters, { announced: 2000, unannounced: 400 }, 'there is room again')
})

await t.test('counts what the broker refuses, and does not reject', async (t) => {
  const publish = (): Promise<void> => Promise.reject(new Error('away'))
  const announcements = new Announcements({ broker: { publish }, log })
  await announcements.tell({ came: crowd(2), went: crowd(1), at: AT })
  t.same(announcements.counters, { announced: 0, unannounced: 3 })
})
