import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import type { PrivateDatabase } from '../../databases/private-database.ts'
import { NodeError } from '../../src/errors.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { openStore, type OpenStoreOptions } from '../../src/store/kysely/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { plainEnvironment } from '../support/plain-environment.ts'
import { useTcpProxy } from '../support/tcp-proxy.ts'
import { writeEndlessly } from './endless-writer.ts'
import { event, order } from './rows.ts'

export interface FaultyServer {
  readonly kind: string
  /** A fresh empty database on a server that others use too. */
  useShared(t: Test): Promise<string>
  /** One on a server of its own. */
  useOwn(t: Test): Promise<{ readonly url: string; readonly server: PrivateDatabase }>
}

/** Patient enough for a busy machine, and far from the time-outs of the store where they must not matter. */
const BOUND_MS = 30_000
const SHORT = { connectMs: 1000, statementMs: 1000, lockMs: 1000, acquireMs: 1000, idleInTransactionMs: 2000 }
const UNAVAILABLE = { code: 'store-unavailable' }
const STREAMS = ['/topic/a', '/topic/b', '/user/bob/queue/orders']

/**
 * What becomes of the store when its server is killed, frozen, unreachable, strange or not there yet. It
 * cannot show what a crash of the machine does to a disk, nor a network that delays only some packets.
 */
export async function serverFaults(t: Test, kind: FaultyServer): Promise<void> {
  await t.test('a server is killed among writes: calls reject in time, nothing stored is lost', async (t) => {
    const { url, server } = await kind.useOwn(t)
    const stores = [await open(t, url, { nodeId: 'a' }), await open(t, url, { nodeId: 'b' })]
    const writers = stores.map((store, i) => writeEndlessly(store, `node ${i}`, STREAMS))
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(writers.map((writer) => writer.more(15)))
      await server.kill()
      await Promise.all(writers.map((writer) => writer.refused()))
      await server.start()
    }
    await Promise.all(writers.map((writer) => writer.more(15)))
    const written = await Promise.all(writers.map((writer) => writer.end()))
    const { resolved, slowestMs, refusals } = {
      resolved: written.flatMap((each) => each.resolved),
      slowestMs: Math.max(...written.map((each) => each.slowestMs)),
      refusals: written.flatMap((each) => each.refusals),
    }
    t.ok(slowestMs < BOUND_MS, `the slowest answer took ${Math.round(slowestMs)} ms`)
    t.ok(refusals.length >= 6)
    t.ok(refusals.every((error) => (error as { code?: string }).code === 'store-unavailable'))
    for (const stream of STREAMS) {
      const [a, b] = await Promise.all(stores.map((store) => store.log.read(stream, 0, 100_000)))
      t.strictSame(a, b)
      const bodies = new Map(a?.map((row) => [row.offset, row.body]))
      t.strictSame(
        [...bodies.keys()],
        [...bodies.keys()].map((_, i) => i + 1),
        'no gap',
      )
      t.equal(await stores[0]?.log.head(stream), bodies.size)
      const missing = resolved.filter((row) => row.stream === stream && bodies.get(row.offset) !== row.body)
      t.strictSame(missing, [], 'what resolved is there, at its offset')
    }
    t.comment(`${kind.kind}: ${resolved.length} stored, ${refusals.length} refused, slowest ${slowestMs} ms`)
  })

  await t.test('a server freezes: every call rejects within the time-outs, and works after', async (t) => {
    const { url, server } = await kind.useOwn(t)
    const store = await open(t, url, { timeouts: SHORT })
    await store.transact((tx) => tx.appendEvents([event('/topic/a')]))
    await server.freeze()
    await everythingRejects(t, store)
    await everythingRejects(t, store)
    server.thaw()
    await works(t, store)
  })

  await t.test('a network swallows everything: every call rejects within the time-outs', async (t) => {
    const url = new URL(await kind.useShared(t))
    const proxy = await useTcpProxy(t, Number(url.port))
    url.port = String(proxy.port)
    const store = await open(t, url.href, { timeouts: SHORT })
    await store.transact((tx) => tx.appendEvents([event('/topic/a')]))
    proxy.freeze()
    await everythingRejects(t, store)
    proxy.thaw()
    await works(t, store)
    proxy.cut()
    await works(t, store)
    proxy.refuse(true)
    await everythingRejects(t, store)
    proxy.refuse(false)
    await works(t, store)
  })

  await t.test('a commit whose answer is lost rejects, whatever became of it', async (t) => {
    const direct = await kind.useShared(t)
    const url = new URL(direct)
    const proxy = await useTcpProxy(t, Number(url.port))
    url.port = String(proxy.port)
    const store = await open(t, url.href, { timeouts: SHORT })
    const lost = store.transact(async (tx) => {
      await tx.appendEvents([event('/topic/a')])
      proxy.freeze()
    })
    await t.rejects(lost, UNAVAILABLE)
    proxy.cut()
    proxy.thaw()
    await works(t, store)
    const rows = await store.log.read('/topic/a', 0, 10)
    t.strictSame(
      rows.map((row) => row.offset),
      rows.map((_, i) => i + 1),
    )
  })

  await t.test('a frozen node does not keep its streams and orders from the others', async (t) => {
    const url = await kind.useShared(t)
    const frozen = await open(t, url, { nodeId: 'frozen', timeouts: SHORT })
    const other = await open(t, url, { nodeId: 'other', timeouts: SHORT })
    const [holds, thaws] = [deferred(), deferred()]
    const held = frozen.transact(async (tx) => {
      await tx.orders.find('o1')
      await tx.appendEvents([event('/topic/a', '"frozen"')])
      holds.resolve()
      await thaws.promise
    })
    await holds.promise
    let refusals = 0
    for (;;) {
      const stored = await other
        .transact(async (tx) => {
          await tx.orders.find('o1')
          tx.orders.save(order('o1'))
          await tx.appendEvents([event('/topic/a', '"other"')])
        })
        .then(() => true)
        .catch((error: unknown) => t.match(error, UNAVAILABLE) && false)
      if (stored) break
      refusals += 1
      if (refusals > 20) throw new Error('the lock stays')
    }
    thaws.resolve()
    await t.rejects(held, UNAVAILABLE)
    t.match(await other.log.read('/topic/a', 0, 10), [{ offset: 1, body: '"other"' }])
    t.equal(await other.log.head('/topic/a'), 1)
    await works(t, frozen)
  })

  await t.test('a lock that another node holds for too long rejects the call, not the node', async (t) => {
    const url = await kind.useShared(t)
    const slow = await open(t, url, { nodeId: 'slow' })
    const other = await open(t, url, { nodeId: 'other', timeouts: { lockMs: 1000 } })
    const [holds, goesOn] = [deferred(), deferred()]
    const holding = slow.transact(async (tx) => {
      await tx.appendEvents([event('/topic/a')])
      holds.resolve()
      await goesOn.promise
    })
    await holds.promise
    let attempts = 0
    const waiting = other.transact((tx) => {
      attempts += 1
      return tx.appendEvents([event('/topic/a')])
    })
    await t.rejects(waiting, UNAVAILABLE)
    t.equal(attempts, 5)
    t.match(await other.transact((tx) => tx.appendEvents([event('/topic/b')])), [{ offset: 1 }])
    goesOn.resolve()
    await holding
    t.match(await other.transact((tx) => tx.appendEvents([event('/topic/a')])), [{ offset: 2 }])
  })

  await t.test(
    'several nodes start on an empty database at once: one makes the tables and the epoch',
    async (t) => {
      const url = await kind.useShared(t)
      const children = Array.from({ length: 3 }, (_, i) => served(t, url, `child-${i}`))
      const stores = await Promise.all(
        Array.from({ length: 6 }, (_, i) => open(t, url, { nodeId: `node-${i}` })),
      )
      const said = await Promise.all(children)
      t.strictSame([...new Set(stores.map((store) => store.epoch))], [stores[0]?.epoch])
      for (const each of said) t.match(each, { epoch: stores[0]?.epoch })
      t.equal(await stores[0]?.log.head('/topic/a'), children.length)
    },
  )

  await t.test(
    'says what is wrong with an address, an account or a name, and never the password',
    async (t) => {
      const { url, server } = await kind.useOwn(t)
      const name = new URL(url).pathname.slice(1)
      const where = `${new URL(url).protocol}//127.0.0.1:${server.port}`
      const wrong = new URL(url)
      wrong.password = 'not-the-password'
      t.match(
        await refusal(wrong.href),
        new RegExp(`${where}/${name} cannot be opened: .*(password|denied)`, 'i'),
      )
      const unknown = new URL(url)
      unknown.pathname = '/nowhere'
      t.match(
        await refusal(unknown.href),
        new RegExp(`${where}/nowhere cannot be opened: .*(nowhere|denied)`, 'i'),
      )
      await server.freeze()
      t.match(await refusal(url, { timeouts: SHORT }), /cannot be opened: .*time(out|dout)/i)
      server.thaw()
      await server.shutDown()
      t.match(await refusal(url), new RegExp(`${where}/${name} cannot be opened: .*ECONNREFUSED`))
    },
  )

  await t.test('waits at the start for a server that is not there yet, and says so once', async (t) => {
    const { url, server } = await kind.useOwn(t)
    await server.shutDown()
    const said = deferred<string>()
    let times = 0
    const opening = open(t, url, {
      waitMs: 120_000,
      onWaiting: (where, why) => {
        times += 1
        said.resolve(`${where}: ${why}`)
      },
    })
    t.match(await said.promise, /127\.0\.0\.1:\d+\/\w+: .*ECONNREFUSED/)
    await server.start()
    await works(t, await opening)
    t.equal(times, 1)
    await server.shutDown()
    const start = performance.now()
    t.match(await refusal(url, { waitMs: 600 }), /ECONNREFUSED/)
    t.ok(performance.now() - start >= 600, 'gives up after the time')
  })
}

async function open(t: Test, url: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  const store = await openStore({ url, nodeId: 'node', lock: true, ...options })
  t.teardown(() => store.close())
  return store
}

async function refusal(url: string, options: Partial<OpenStoreOptions> = {}): Promise<string> {
  const error: unknown = await openStore({ url, nodeId: 'n', lock: true, ...options }).catch(
    (reason: unknown) => reason,
  )
  if (!(error instanceof NodeError)) throw new Error('opened, or refused otherwise', { cause: error })
  if (error.code !== 'database-unavailable') throw error
  const { password } = new URL(url)
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (`${each.message} ${JSON.stringify(each)}`.includes(password)) throw new Error('says the password')
  }
  return error.message
}

async function served(t: Test, url: string, nodeId: string): Promise<unknown> {
  const child = fork(new URL('serve-store.ts', import.meta.url), [url, nodeId], {
    execArgv: ['--import', 'tsx'],
    env: plainEnvironment(),
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = (await once(child, 'message')) as unknown[]
  return said
}

async function everythingRejects(t: Test, store: Store): Promise<void> {
  const calls = {
    transact: () => store.transact((tx) => tx.appendEvents([event('/topic/a')])),
    order: () => store.transact((tx) => tx.orders.find('o')),
    read: () => store.log.read('/topic/a', 0, 1),
    heads: () => store.log.heads(['/topic/a']),
    remove: () => store.outbox.remove([1]),
    claim: () => store.outbox.claim(1),
    renew: () => store.nodes.renew({ nodeId: 'n', boot: 'b', ttlMs: 1000 }),
    epoch: () => store.refreshEpoch(),
    ping: () => store.ping(),
  }
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const start = performance.now()
      await t.rejects(async () => call(), UNAVAILABLE, name)
      const ms = performance.now() - start
      t.ok(ms < BOUND_MS, `${name} rejects within ${Math.round(ms)} ms`)
    }),
  )
}

/** Not the first call, perhaps: that one may still meet a connection whose end has not been heard of. */
async function works(t: Test, store: Store): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      const [row] = await store.transact((tx) => tx.appendEvents([event('/topic/a')]))
      t.equal(await store.log.head('/topic/a'), row?.offset)
      await store.ping()
      return
    } catch (error) {
      if (tries === 20) throw error
    }
  }
}
