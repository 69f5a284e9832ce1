import type { Test } from 'tap'
import { MessageError } from '../../src/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { AT, event, message, order } from './rows.ts'

export async function transactionsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('stores nothing when the work rejects, and passes its error on', async (t) => {
    const store = await open(t)
    const work = store.transact(async (tx) => {
      tx.messages.insert(message('m1'))
      tx.orders.save(order('o1'))
      await tx.appendEvents([event('/topic/a')])
      throw new RangeError('no')
    })
    await t.rejects(work, RangeError)
    t.equal(await store.messages.find('m1'), null)
    t.equal(await store.orders.find('o1'), null)
    t.equal(await store.log.head('/topic/a'), 0)
    t.strictSame(await store.outbox.pending(0, 10), [])
  })

  await t.test('stores nothing when one row is refused by the database', async (t) => {
    const store = await open(t)
    await store.transact((tx) => Promise.resolve(tx.messages.insert(message('m1'))))
    const work = store.transact(async (tx) => {
      tx.messages.insert(message('m2'))
      tx.messages.insert(message('m1'))
      await tx.appendEvents([event('/topic/a')])
    })
    const error = await work.catch((reason: unknown) => reason)
    t.match(error, { code: 'store-unavailable' })
    t.ok(error instanceof MessageError && error.cause instanceof Error, 'the cause is kept')
    t.equal(await store.messages.find('m2'), null)
    t.equal(await store.log.head('/topic/a'), 0)
  })

  await t.test('drops what a failed part staged, and goes on', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      t.equal(await tx.attempt(() => Promise.resolve(tx.messages.insert(message('m1'))).then(() => 7)), 7)
      const failing = tx.attempt(() => {
        tx.messages.insert(message('m2'))
        tx.orders.save(order('o1'))
        tx.broadcasts.insert({ id: 'b', title: '', message: '', type: '', createdAt: AT })
        return Promise.reject(new RangeError('no'))
      })
      await t.rejects(failing, RangeError)
      t.equal(await tx.orders.find('o1'), null)
      tx.messages.insert(message('m3'))
    })
    const rows = await store.messages.list({ kind: 'public' }, { limit: 5 })
    t.strictSame(
      rows.map((row) => row.id),
      ['m3', 'm1'],
    )
    t.strictSame(await store.broadcasts.list({ limit: 5 }), [])
    t.strictSame(await store.orders.history('o1', 5), [])
  })

  await t.test('drops what a failed part staged, though the part had appended events', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      tx.messages.insert(message('m1'))
      const failing = tx.attempt(async () => {
        tx.messages.insert(message('m2'))
        await tx.appendEvents([event('/topic/a')])
        throw new RangeError('no')
      })
      await t.rejects(failing, RangeError)
      tx.messages.insert(message('m3'))
    })
    const rows = await store.messages.list({ kind: 'public' }, { limit: 5 })
    t.strictSame(
      rows.map((row) => row.id),
      ['m3', 'm1'],
    )
  })

  await t.test('stores what was staged before events, after them, and with none', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      tx.messages.insert(message('m1'))
      tx.broadcasts.insert({ id: 'b1', title: 'é', message: '', type: '', createdAt: AT })
      await tx.appendEvents([event('/topic/a')])
      tx.messages.insert(message('m2'))
      await tx.appendEvents([event('/topic/a'), event('/topic/b')])
      tx.broadcasts.insert({ id: 'b2', title: '', message: '', type: '', createdAt: AT })
    })
    await store.transact((tx) => Promise.resolve(tx.messages.insert(message('m3'))))
    const rows = await store.messages.list({ kind: 'public' }, { limit: 5 })
    t.strictSame(
      rows.map((row) => row.id),
      ['m3', 'm2', 'm1'],
    )
    t.equal((await store.broadcasts.list({ limit: 5 })).length, 2)
    t.strictSame(
      await store.log.heads(['/topic/a', '/topic/b']),
      new Map([
        ['/topic/a', 2],
        ['/topic/b', 1],
      ]),
    )
  })

  await t.test('refuses texts that databases disagree about, at once', async (t) => {
    const store = await open(t)
    await store.transact((tx) => {
      for (const content of ['a\0b', 'half \ud800', '\udc00 half']) {
        t.throws(() => tx.messages.insert(message('m', { content })), { code: 'invalid-payload' })
      }
      t.throws(() => tx.orders.save(order('o', { items: 1n })), { code: 'invalid-payload' })
      t.throws(() => tx.orders.save(order('o', { items: undefined })), { code: 'invalid-payload' })
      return Promise.resolve()
    })
    t.equal(await store.messages.find('m'), null)
  })

  await t.test('runs transactions one after the other, in the order of calls', async (t) => {
    const store = await open(t)
    const steps: string[] = []
    const run = (name: string) =>
      store.transact(async (tx) => {
        steps.push(`${name} begins`)
        await tx.orders.find('o')
        tx.orders.save(order('o', { status: name }))
        steps.push(`${name} ends`)
      })
    await Promise.all(['a', 'b', 'c'].map(run))
    t.strictSame(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    t.equal((await store.orders.find('o'))?.status, 'c')
  })

  await t.test('lets reads see what is committed while a transaction runs', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      tx.messages.insert(message('m1'))
      await tx.appendEvents([event('/topic/a')])
      t.equal(await store.messages.find('m1'), null)
      t.equal(await store.log.head('/topic/a'), 0)
    })
    t.equal(await store.log.head('/topic/a'), 1)
  })

  await t.test('refuses a transaction object whose transaction is over', async (t) => {
    const store = await open(t)
    const tx = await store.transact((inner) => Promise.resolve([inner] as const))
    t.throws(() => tx[0].messages.insert(message('m')), { code: 'internal' })
    await t.rejects(async () => tx[0].appendEvents([event('/topic/a')]), { code: 'internal' })
    await t.rejects(tx[0].orders.find('o'), { code: 'internal' })
  })

  await t.test('refuses transactions beyond the bound, and runs those within', async (t) => {
    const store = await open(t)
    const calls = Array.from({ length: 1001 }, () => store.transact(() => Promise.resolve('done')))
    const results = await Promise.allSettled(calls)
    t.equal(results.filter((result) => result.status === 'fulfilled').length, 1000)
    t.match(results.at(-1), { status: 'rejected', reason: { code: 'too-many-pending' } })
    t.equal(await store.transact(() => Promise.resolve('again')), 'again')
  })

  await t.test('waits with closing for the transaction under way, then refuses everything', async (t) => {
    const store = await open(t)
    await store.ping()
    const work = store.transact((tx) => Promise.resolve(tx.messages.insert(message('m1'))))
    await Promise.all([store.close(), store.close()])
    await work
    const refusal = { code: 'store-unavailable' }
    await t.rejects(
      store.transact(() => Promise.resolve()),
      refusal,
    )
    await t.rejects(store.messages.find('m1'), refusal)
    await t.rejects(store.settings.find('k'), refusal)
    await t.rejects(store.outbox.remove([1]), refusal)
    await t.rejects(store.ping(), refusal)
  })
}
