import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { AT, order } from './rows.ts'

export async function ordersContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('keeps the latest state of an order, when it began, and every state as history', async (t) => {
    const store = await open(t)
    const later = '2030-02-01T00:00:00.000Z'
    const second = order('o1', {
      status: 'SHIPPED',
      items: null,
      note: 'soon',
      version: null,
      updatedAt: later,
    })
    const seen: unknown[] = []
    await store.transact(async (tx) => {
      seen.push(await tx.orders.find('o1'))
      tx.orders.save(order('o1'))
      seen.push(await tx.orders.find('o1'))
      tx.orders.save(second)
    })
    await store.transact(async (tx) => {
      seen.push(await tx.orders.find('o1'))
      tx.orders.save(order('o2'))
    })
    t.strictSame(seen, [null, order('o1'), second])
    t.strictSame(await store.orders.find('o1'), second)
    t.equal(await store.orders.find('none'), null)
    t.strictSame(await store.orders.history('o1', 5), [order('o1'), second])
    t.strictSame(await store.orders.history('o1', 1), [second], 'the newest ones')
    t.strictSame(
      (await store.orders.list({ userId: 'bob' }, { limit: 5 })).map((row) => row.orderId),
      ['o2', 'o1'],
    )
    t.strictSame(
      (await store.orders.list({ userId: 'bob' }, { limit: 5, before: 'o2' })).map((row) => row.orderId),
      ['o1'],
    )
    t.strictSame(await store.orders.list({ userId: 'alice' }, { limit: 5 }), [])
  })

  await t.test('lists, walks and counts the orders that fit, a page at a time', async (t) => {
    const { transact, orders } = bound(await open(t))
    const early = '2029-01-01T00:00:00.000Z'
    await transact(async (tx) => {
      tx.orders.save(order('o1', { updatedAt: early }))
      tx.orders.save(order('o2', { status: 'READY' }))
      tx.orders.save(order('o3', { userId: 'alice', status: 'READY' }))
      tx.orders.save(order('o4', { userId: 'alice' }))
    })
    const listed = async (...args: Parameters<Store['orders']['list']>) =>
      (await orders.list(...args)).map(({ orderId }) => orderId)
    t.strictSame(await listed({}, { limit: 3 }), ['o4', 'o3', 'o2'])
    t.strictSame(await listed({}, { limit: 3, before: 'o2' }), ['o1'])
    t.strictSame(await listed({ status: 'READY' }, { limit: 9 }), ['o3', 'o2'])
    t.strictSame(await listed({ status: 'READY', userId: 'alice' }, { limit: 9 }), ['o3'])
    t.strictSame(await listed({ updatedBefore: AT }, { limit: 9 }), ['o1'])
    t.strictSame(await orders.ids({}, { limit: 3 }), ['o1', 'o2', 'o3'])
    t.strictSame(await orders.ids({}, { limit: 3, after: 'o3' }), ['o4'])
    t.strictSame(await orders.ids({ status: 'PLACED', userId: 'bob' }, { limit: 9 }), ['o1'])
    t.strictSame(await orders.ids({ userId: 'nobody' }, { limit: 9 }), [])
    t.equal(await orders.count({}), 4)
    t.equal(await orders.count({ userId: 'alice' }), 2)
    t.equal(await orders.count({ status: 'READY', updatedBefore: AT }), 0)
  })

  await t.test('finds many orders at once, as the transaction sees them', async (t) => {
    const { transact, orders } = bound(await open(t))
    await transact(async (tx) => {
      for (const id of ['o1', 'o2', 'o3']) tx.orders.save(order(id))
    })
    await transact(async (tx) => {
      t.equal((await tx.orders.findMany([])).size, 0)
      t.equal(await tx.orders.find('none'), null)
      tx.orders.save(order('o2', { status: 'READY', changedBy: 'root' }))
      tx.orders.save(order('new'))
      const found = await tx.orders.findMany(['o3', 'o2', 'none', 'o2', 'new', 'o1'])
      t.strictSame(
        [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        [
          ['new', order('new')],
          ['o1', order('o1')],
          ['o2', order('o2', { status: 'READY', changedBy: 'root' })],
          ['o3', order('o3')],
        ],
      )
      await t.rejects(tx.orders.findMany(['o1', 'a\0b']), { code: 'invalid-payload' })
    })
    t.match(await orders.find('o2'), { status: 'READY', changedBy: 'root' })
    t.match(await orders.history('o2', 5), [{ changedBy: null }, { changedBy: 'root' }])
    t.equal(await orders.find('none'), null)
  })

  await t.test(
    'gives back dead letters as they were, the beginning of each, and removes one once',
    async (t) => {
      const { transact, deadLetters } = bound(await open(t))
      const letter = {
        id: 'd1',
        queue: 'user',
        reason: 'not JSON',
        headers: ['a', '1', 'a', '2'],
        body: new Uint8Array([0, 255, 10]),
        createdAt: AT,
      }
      await transact(async (tx) => {
        tx.deadLetters.insert(letter)
        tx.deadLetters.insert({ ...letter, id: 'd2', body: new Uint8Array(0) })
      })
      t.strictSame(await deadLetters.find('d1'), letter)
      t.equal(await deadLetters.find('none'), null)
      t.strictSame((await deadLetters.find('d2'))?.body, new Uint8Array(0))
      t.strictSame(await deadLetters.list({ limit: 5, before: 'd2' }), [{ ...letter, bodyBytes: 3 }])
      t.strictSame(await deadLetters.list({ limit: 5, maxBodyBytes: 2 }), [
        { ...letter, id: 'd2', body: new Uint8Array(0), bodyBytes: 0 },
        { ...letter, body: new Uint8Array([0, 255]), bodyBytes: 3 },
      ])
      t.strictSame(
        (await deadLetters.list({ limit: 1 })).map((row) => row.id),
        ['d2'],
      )
      t.equal(await deadLetters.remove('d1'), true)
      t.equal(await deadLetters.remove('d1'), false)
      t.equal(await deadLetters.find('d1'), null)
      t.match(await deadLetters.list({ limit: 5 }), [{ id: 'd2' }])
    },
  )
}

function bound(store: Store) {
  const transact: Store['transact'] = (work) => store.transact(work)
  return { transact, orders: store.orders, deadLetters: store.deadLetters }
}
