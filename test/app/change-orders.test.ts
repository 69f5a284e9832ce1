import t from 'tap'
import { changeOrders, type StatusChange } from '../../src/app/orders/change-orders.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryFolder } from '../support/relay.ts'
import { AT, order } from '../store/rows.ts'

type Test = Parameters<typeof temporaryFolder>[0]

async function storeWith(t: Test, ...rows: ReturnType<typeof order>[]): Promise<Store> {
  const store = await openStore({ url: `sqlite:${await temporaryFolder(t)}/a.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  await store.transact(async (tx) => {
    for (const row of rows) tx.orders.save(row)
  })
  return store
}

function change(store: Store, ids: readonly string[], fields: Partial<StatusChange> = {}) {
  return store.transact((tx) => changeOrders(tx, ids, { status: 'READY', by: 'root', ...fields }))
}

await t.test('changes those that are there, tells of each, and says what became of all', async (t) => {
  const placed = [order('o1', { note: 'kept' }), order('o2', { userId: 'alice' })]
  const store = await storeWith(t, ...placed, order('o3', { status: 'READY' }))
  const { changed, unchanged, missing, orders, events } = await change(store, [
    'o2',
    'o1',
    'none',
    'o3',
    'o1',
  ])
  t.strictSame([changed.toSorted(), unchanged, missing], [['o1', 'o2'], ['o3'], ['none']])
  t.match(await store.orders.find('o1'), { status: 'READY', note: 'kept', version: 1, changedBy: 'root' })
  t.strictSame(await store.orders.find('o1'), orders.get('o1'))
  t.ok((orders.get('o1')?.updatedAt ?? '') >= AT, 'never before the time of the service')
  t.equal((await store.orders.history('o1', 5)).length, 2)
  t.equal((await store.orders.history('o3', 5)).length, 1)
  t.strictSame(events.map(({ stream }) => stream).toSorted(), [
    '/topic/orders',
    '/topic/orders',
    '/topic/orders.o1',
    '/topic/orders.o2',
    '/user/alice/queue/notifications',
    '/user/alice/queue/orders',
    '/user/bob/queue/notifications',
    '/user/bob/queue/orders',
  ])
  t.match(await store.notifications.list('alice', { limit: 5 }), [{ message: 'Order o2 is ready' }])
})

await t.test('changes nothing that does not fit, or says so already', async (t) => {
  const store = await storeWith(t, order('o1'), order('o2', { userId: 'alice', status: 'SHIPPED' }))
  for (const where of [{ userId: 'carol' }, { status: 'DELIVERED' }, { updatedBefore: AT }]) {
    t.strictSame((await change(store, ['o1', 'o2'], { where })).changed, [], JSON.stringify(where))
  }
  t.strictSame((await change(store, ['o1', 'o2'], { where: { status: 'SHIPPED' } })).changed, ['o2'])
  t.strictSame((await change(store, ['o2'])).events, [])
  t.strictSame((await change(store, ['o2'], { note: 'At the door' })).changed, ['o2'], 'a note is a change')
  t.strictSame((await change(store, [])).changed, [])
})
