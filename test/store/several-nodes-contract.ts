import type { Test } from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import type { AppendedEvent, Store } from '../../src/store/store.ts'
import type { TestDatabase } from './test-database.ts'
import { event, LATER, order } from './rows.ts'

const BATCHES = 60

/** Several nodes on one database, at the same time. */
export async function severalNodesContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  const pair = async (t: Test) => {
    const database = await newDatabase(t)
    return [await database.open('a'), await database.open('b')] as const
  }

  await t.test('numbers streams without gap, in commit order, whoever writes', async (t) => {
    const stores = await pair(t)
    const names = ['/topic/c', '/topic/a', '/topic/b', '/topic/new']
    const write = async (store: Store, node: string) => {
      const own: AppendedEvent[] = []
      for (let i = 0; i < BATCHES; i += 1) {
        // Each batch names the streams in another order, some twice, and one that nobody has seen yet.
        const streams = [...names.slice(i % 4), ...names.slice(0, i % 3), `/topic/fresh-${i}`]
        own.push(
          ...(await store.transact((tx) => tx.appendEvents(streams.map((s) => event(s, `${node} ${i}`))))),
        )
      }
      return own
    }
    const [a, b] = await Promise.all([write(stores[0], 'a'), write(stores[1], 'b')])
    for (const own of [a, b]) {
      const seqs = own.map((row) => row.seq)
      t.strictSame(
        seqs,
        seqs.toSorted((x, y) => x - y),
        'numbers of the outbox grow',
      )
    }
    for (const stream of new Set([...a, ...b].map((row) => row.stream))) {
      const given = [...a, ...b].filter((row) => row.stream === stream).map((row) => row.offset)
      const stored = await stores[0].log.read(stream, 0, 10_000)
      const all = Array.from({ length: given.length }, (_, i) => i + 1)
      t.strictSame(
        given.toSorted((x, y) => x - y),
        all,
      )
      t.strictSame(
        stored.map((row) => row.offset),
        all,
      )
      const bodies = new Map(stored.map((row) => [row.offset, row.body.split(' ')[0]]))
      t.ok(
        a.filter((row) => row.stream === stream).every((row) => bodies.get(row.offset) === 'a'),
        'the answer is about its own events',
      )
    }
    for (const [i, own] of [a, b].entries()) {
      const pending = (await stores[i]?.outbox.pending(0, 10_000)) ?? []
      t.strictSame(
        pending.map(({ seq, stream, offset }) => ({ seq, stream, offset })),
        own,
      )
    }
  })

  await t.test('shows no event before those with lower offsets', async (t) => {
    const stores = await pair(t)
    const writing = Promise.all(
      stores.map(async (store) => {
        for (let i = 0; i < BATCHES; i += 1) {
          await store.transact((tx) => tx.appendEvents([event('/topic/a'), event('/topic/a')]))
        }
      }),
    )
    const writes = { areDone: false }
    const reading = (async () => {
      let reads = 0
      for (; !writes.areDone; reads += 1) {
        const head = await stores[0].log.head('/topic/a')
        const rows = await stores[0].log.read('/topic/a', 0, 10_000)
        const offsets = rows.map((row) => row.offset)
        if (offsets.length < head || offsets.some((offset, i) => offset !== i + 1))
          return `hole in ${offsets.join()}`
      }
      return reads
    })()
    await writing
    writes.areDone = true
    t.type(await reading, 'number')
    t.equal(await stores[1].log.head('/topic/a'), BATCHES * 4)
  })

  await t.test('answers a repeated request as the node that was first, and stores nothing new', async (t) => {
    const [a, b] = await pair(t)
    const [hasLooked, otherIsDone] = [deferred(), deferred()]
    let attempts = 0
    const late = a.transact(async (tx) => {
      attempts += 1
      const known = await tx.requests.find(['k'])
      if (known.has('k')) return known.get('k')
      hasLooked.resolve()
      await otherIsDone.promise
      await tx.appendEvents([event('/topic/a')])
      tx.requests.insert({ key: 'k', answer: 'of a', expiresAt: LATER })
      return 'of a'
    })
    await hasLooked.promise
    await b.transact(async (tx) => {
      await tx.appendEvents([event('/topic/a')])
      tx.requests.insert({ key: 'k', answer: 'of b', expiresAt: LATER })
    })
    otherIsDone.resolve()
    t.equal(await late, 'of b')
    t.equal(attempts, 2)
    t.equal(await a.log.head('/topic/a'), 1)
  })

  await t.test('runs the work again that met with a deadlock', async (t) => {
    const [a, b] = await pair(t)
    const [aHasOne, bHasTwo] = [deferred(), deferred()]
    let attempts = 0
    const take = (store: Store, ids: readonly [string, string], mine: () => void, other: Promise<void>) =>
      store.transact(async (tx) => {
        attempts += 1
        await tx.orders.find(ids[0])
        mine()
        await other
        await tx.orders.find(ids[1])
        for (const id of ids) tx.orders.save(order(id))
      })
    for (const round of ['new', 'known']) {
      attempts = 0
      await Promise.all([
        take(a, ['o1', 'o2'], aHasOne.resolve, bHasTwo.promise),
        take(b, ['o2', 'o1'], bHasTwo.resolve, aHasOne.promise),
      ])
      if (round === 'new') t.ok(attempts > 2, `${attempts} attempts`)
    }
    t.equal((await a.orders.history('o1', 10)).length, 4)
    t.equal((await a.orders.history('o2', 10)).length, 4)
  })

  await t.test('locks an order that was asked for, also one that is not there yet', async (t) => {
    const stores = await pair(t)
    const raise = (store: Store) =>
      store.transact(async (tx) => {
        const version = ((await tx.orders.find('o1'))?.version ?? 0) + 1
        tx.orders.save(order('o1', { version }))
      })
    await Promise.all(Array.from({ length: 40 }, (_, i) => raise(stores[i % 2 === 0 ? 0 : 1])))
    t.equal((await stores[0].orders.find('o1'))?.version, 40)
    await stores[1].transact((tx) => tx.orders.find('o2'))
    t.equal(await stores[0].orders.find('o2'), null, 'nothing stays of an order that nobody saved')
    t.strictSame(await stores[0].orders.list({ userId: '' }, { limit: 5 }), [])
  })

  await t.test('gives each row of a dead node to one of those who claim at once', async (t) => {
    const database = await newDatabase(t)
    const dead = await database.open('dead')
    for (let i = 0; i < 20; i += 1) {
      await dead.transact((tx) => tx.appendEvents(Array.from({ length: 20 }, () => event('/topic/a'))))
    }
    const heirs = [await database.open('a'), await database.open('b'), await database.open('c')]
    for (const [i, heir] of heirs.entries()) {
      await heir.nodes.renew({ nodeId: 'abc'.charAt(i), boot: 'x', ttlMs: 600_000 })
    }
    const claimed = await Promise.all(
      heirs.map(async (heir) => {
        const own: number[] = []
        for (;;) {
          const rows = await heir.outbox.claim(30)
          if (rows.length === 0) return own
          own.push(...rows.map((row) => row.seq))
        }
      }),
    )
    t.equal(new Set(claimed.flat()).size, claimed.flat().length, 'none to two')
    const rest = await Promise.all(heirs.map((heir) => heir.outbox.claim(1000)))
    t.equal(claimed.flat().length + rest.flat().length, 400, 'none is left')
  })
}
