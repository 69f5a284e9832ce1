import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { event } from './rows.ts'

const at = (day: number) => `2030-03-${String(day).padStart(2, '0')}T00:00:00.000Z`
const expiring = (stream: string, day: number) =>
  event(stream, String(day), undefined, { expiresAt: at(day) })

export async function trimContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  const relayed = async (store: Store) => {
    const rows = await store.outbox.pending(0, 1000)
    await store.outbox.remove(rows.map((row) => row.seq))
  }
  const kept = async (store: Store, stream: string) =>
    (await store.log.read(stream, 0, 1000)).map((row) => row.offset)

  await t.test('removes what has expired, oldest first, within the limit, and keeps the heads', async (t) => {
    const store = await open(t)
    const events = [1, 3, 5].flatMap((day) => [expiring('/topic/a', day), expiring('/topic/b', day + 1)])
    await store.transact((tx) => tx.appendEvents(events.slice(0, 2)))
    await store.transact((tx) => tx.appendEvents(events.slice(2, 4)))
    await store.transact((tx) => tx.appendEvents(events.slice(4)))
    await relayed(store)
    t.equal(await store.log.trim('2030-02-28T23:59:59.999Z', 100), 0)
    t.equal(await store.log.trim(at(5), 3), 3)
    t.strictSame(await kept(store, '/topic/a'), [3])
    t.strictSame(await kept(store, '/topic/b'), [2, 3])
    t.equal(await store.log.trim(at(5), 3), 2)
    t.strictSame(await kept(store, '/topic/a'), [])
    t.strictSame(await kept(store, '/topic/b'), [3])
    t.equal(await store.log.trim(at(5), 3), 0)
    t.strictSame([...(await store.log.heads(['/topic/a', '/topic/b'])).values()], [3, 3])
    t.match(await store.transact((tx) => tx.appendEvents([expiring('/topic/a', 9)])), [{ offset: 4 }])
  })

  await t.test('never removes a middle: what would expire early waits for those before it', async (t) => {
    const store = await open(t)
    await store.transact((tx) => tx.appendEvents([expiring('/topic/a', 1), expiring('/topic/b', 9)]))
    await store.transact((tx) => tx.appendEvents([expiring('/topic/a', 9), expiring('/topic/b', 2)]))
    await store.transact((tx) => tx.appendEvents([expiring('/topic/a', 2), expiring('/topic/c', 2)]))
    await relayed(store)
    t.equal(await store.log.trim(at(5), 100), 2)
    t.strictSame(await kept(store, '/topic/a'), [2, 3])
    t.strictSame(await kept(store, '/topic/b'), [1, 2])
    t.strictSame(await kept(store, '/topic/c'), [])
    t.equal(await store.log.trim(at(9), 100), 4)
  })

  await t.test(
    'keeps what waits in an outbox, and what came after it; other streams are trimmed',
    async (t) => {
      const store = await open(t)
      const streams = ['/topic/a', '/topic/a', '/topic/b', '/topic/a']
      const rows = await store.transact((tx) =>
        tx.appendEvents(streams.map((stream, i) => expiring(stream, i + 1))),
      )
      const [first, second, other, last] = rows.map((row) => row.seq)
      await store.outbox.remove([first ?? 0, last ?? 0])
      t.equal(await store.log.trim(at(9), 1), 1)
      t.strictSame(await kept(store, '/topic/a'), [2, 3])
      t.equal(await store.log.trim(at(9), 100), 0)
      await store.outbox.remove([other ?? 0])
      t.equal(await store.log.trim(at(9), 1), 1)
      t.strictSame(await kept(store, '/topic/b'), [])
      t.equal((await store.outbox.pending(0, 9)).length, 1)
      await store.outbox.remove([second ?? 0])
      t.equal(await store.log.trim(at(9), 100), 2)
    },
  )

  await t.test('trims many events of many streams', async (t) => {
    const store = await open(t)
    const events = Array.from({ length: 1200 }, (_, i) => expiring(`/topic/${i % 300}`, 1))
    await store.transact((tx) => tx.appendEvents(events))
    for (let i = 0; i < 2; i += 1) await relayed(store)
    t.equal(await store.log.trim(at(1), 1000), 1000)
    t.equal(await store.log.trim(at(1), 1000), 200)
  })
}
