import type { Test } from 'tap'
import type { RequestRow, Store } from '../../src/store/store.ts'
import { LATER } from './rows.ts'

const request = (key: string, answer: unknown, expiresAt = LATER): RequestRow => ({ key, answer, expiresAt })

export async function requestsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  const find = async (store: Store, keys: readonly string[]) => [
    ...(await store.transact((tx) => tx.requests.find(keys))),
  ]

  await t.test('remembers answers, and answers only what it remembers', async (t) => {
    const store = await open(t)
    const answers = new Map<string, unknown>([
      ['a', { id: 'm1', list: [1, null, 'ü'] }],
      ['b', null],
      ['c', 'text'],
    ])
    await store.transact(async (tx) => {
      t.equal((await tx.requests.find(['a', 'b'])).size, 0)
      for (const [key, answer] of answers) tx.requests.insert(request(key, answer))
      t.strictSame([...(await tx.requests.find(['b', 'x']))], [['b', null]], 'its own too')
    })
    const found = new Map(await find(store, ['c', 'a', 'b', 'x']))
    t.strictSame(
      [...answers.keys()].map((key) => found.get(key)),
      [...answers.values()],
    )
    t.equal(found.size, 3)
    t.strictSame(await find(store, []), [])
  })

  await t.test('forgets what a failed part or transaction remembered', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      const part = tx.attempt(() => {
        tx.requests.insert(request('a', 1))
        return Promise.reject(new RangeError('no'))
      })
      await t.rejects(part, RangeError)
      tx.requests.insert(request('b', 2))
    })
    const failing = store.transact((tx) => {
      tx.requests.insert(request('c', 3))
      return Promise.reject(new RangeError('no'))
    })
    await t.rejects(failing, RangeError)
    t.strictSame(await find(store, ['a', 'b', 'c']), [['b', 2]])
  })

  await t.test('refuses to remember a request twice', async (t) => {
    const store = await open(t)
    const twice = store.transact((tx) => {
      tx.requests.insert(request('a', 1))
      tx.requests.insert(request('a', 2))
      return Promise.resolve()
    })
    await t.rejects(twice, { code: 'internal' })
    await store.transact((tx) => Promise.resolve(tx.requests.insert(request('a', 1))))
    let attempts = 0
    const again = store.transact((tx) => {
      attempts += 1
      tx.requests.insert(request('a', 2))
      return Promise.resolve()
    })
    await t.rejects(again, { code: 'store-unavailable' }, 'it does not look before it inserts')
    t.ok(attempts > 1 && attempts < 10, 'the work ran again, within a bound')
    t.strictSame(await find(store, ['a']), [['a', 1]])
  })

  await t.test('trims what has expired, about as many as asked', async (t) => {
    const store = await open(t)
    await store.transact((tx) => {
      for (let i = 0; i < 1200; i += 1) tx.requests.insert(request(`old ${i}`, i, '2030-01-01T00:00:00.000Z'))
      tx.requests.insert(request('new', 'kept'))
      return Promise.resolve()
    })
    t.equal(await store.requests.trim('2029-12-31T00:00:00.000Z', 100), 0)
    t.equal(await store.requests.trim('2030-01-01T00:00:00.000Z', 1000), 1000)
    t.equal(await store.requests.trim('2030-01-02T00:00:00.000Z', 1000), 200)
    t.equal(await store.requests.trim('2030-01-02T00:00:00.000Z', 1000), 0)
    t.strictSame(await find(store, ['old 1', 'old 1199', 'new']), [['new', 'kept']])
  })
}
