import type { Test } from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { NodeRepository, Store } from '../../src/store/store.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import { NodeLease } from '../../src/stream/node-lease.ts'
import { Outbox } from '../../src/stream/outbox.ts'
import { createStreamCounters } from '../../src/stream/stream-counters.ts'
import { Sweeper } from '../../src/stream/sweeper.ts'
import type { Write } from '../../src/stream/write-batch.ts'
import { useTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { message } from '../store/rows.ts'
import { Line, say, Warnings } from './rig.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** The nodes of a store, whose renewals the test can hold up. */
function heldUp(store: Store) {
  const hold: { gate: Promise<void> | undefined } = { gate: undefined }
  const nodes: NodeRepository = {
    renew: async (lease) => {
      await hold.gate
      return store.nodes.renew(lease)
    },
    release: (lease) => store.nodes.release(lease),
    living: () => store.nodes.living(),
  }
  return { hold, nodes }
}

/** The writing side of a node, with short times and a broker of its own. */
async function startNode(t: Test, url: string, nodeId: string) {
  const short = { connectMs: 2000, statementMs: 2000, lockMs: 2000, acquireMs: 2000 }
  const store = await openStore({ url, nodeId, lock: true, timeouts: short })
  t.teardown(() => store.close())
  const line = new Line()
  await line.start(t)
  const log = new Warnings()
  const counters = createStreamCounters()
  const { hold, nodes } = heldUp(store)
  const lease = new NodeLease({
    store: { nodes },
    nodeId,
    boot: nodeId,
    log,
    counters,
    ttlMs: 3000,
    renewMs: 100,
  })
  t.teardown(() => lease.close())
  const quick = { removeDelayMs: 1, retryBaseMs: 1, retryMaxMs: 5, closeTimeoutMs: 50 }
  const outbox = new Outbox({ store, broker: line, log, counters, ...quick })
  t.teardown(() => outbox.close())
  const sweeper = new Sweeper({ outbox, lease, log, intervalMs: 10, batchSize: 7 })
  t.teardown(() => sweeper.close())
  const appender = new StreamAppender({ store, relay: outbox, log, counters })
  t.teardown(() => appender.close())
  await lease.start()
  await outbox.start()
  sweeper.start()
  return { store, line, log, counters, hold, lease, outbox, appender }
}

/**
 * What several nodes on one database owe each other: a request is answered once, whichever node it
 * reaches, and whatever they believe of each other every event is relayed.
 */
export async function severalNodes(t: Test, useServer: (t: Test) => Promise<string>): Promise<void> {
  await t.test('stores once what two nodes are asked for at the same time', async (t) => {
    const url = await useServer(t)
    const nodes = [await startNode(t, url, 'node-1'), await startNode(t, url, 'node-2')]
    const answers = await Promise.all(
      numbers(150).map((n) => {
        const request = { user: 'alice', scope: '/app/messages', clientId: `c-${n}` }
        // Each in its own order, so that batches of both meet in the middle.
        return Promise.all(
          nodes.map(async ({ appender }, node) => {
            await afterTurns(node === 0 ? n : 150 - n)
            return appender.append(post(`m${n}-${node}`), { request })
          }),
        )
      }),
    )
    for (const [one, two] of answers) {
      t.strictSame([one?.result, one?.eventIds], [two?.result, two?.eventIds])
      t.not(one?.isRepeat, two?.isRepeat, 'one of them stored it')
    }
    const store = nodes[0]!.store
    t.equal((await store.messages.list({ kind: 'public' }, { limit: 999 })).length, 150)
    t.equal(await store.log.head('/topic/a'), 150)
    await until(async () => (await store.outbox.ageMs(Date.now() + 1)) === 0)
    t.equal(nodes.flatMap(({ line }) => line.received).length, 150, 'relayed once')
    t.equal(
      nodes.reduce((sum, { counters }) => sum + counters.repeats, 0),
      150,
    )
  })

  await t.test('survives that a database which was away makes them claim from each other', async (t) => {
    const url = new URL(await useServer(t))
    const proxy = await useTcpProxy(t, Number(url.port))
    url.port = String(proxy.port)
    const [one, two] = [await startNode(t, url.href, 'node-1'), await startNode(t, url.href, 'node-2')]
    const broker = deferred()
    for (const { line } of [one, two]) line.fault = () => broker.promise
    const write = ({ appender }: typeof one, topic: string) =>
      Promise.all(numbers(20).map((n) => appender.append(say(topic, `${topic} ${n}`))))
    await Promise.all([write(one, 'a'), write(two, 'b')])

    proxy.refuse(true)
    await Promise.all([one, two].map(({ log }) => log.until('lease-lost')))
    await t.rejects(one.appender.append(say('a', 'not stored')), { code: 'store-unavailable' })
    const [gateOfOne, gateOfTwo] = [deferred(), deferred()]
    t.teardown(() => gateOfOne.resolve())
    two.hold.gate = gateOfTwo.promise
    proxy.refuse(false)
    await until(() => one.counters.claimed === 20)
    one.hold.gate = gateOfOne.promise
    gateOfTwo.resolve()
    await until(() => two.counters.claimed === 40)

    broker.resolve()
    await until(async () => (await two.store.outbox.ageMs(Date.now() + 1)) === 0)
    await until(() => one.outbox.held + two.outbox.held === 0)
    const all = [...numbers(20).map((n) => `"a ${n}"`), ...numbers(20).map((n) => `"b ${n}"`)]
    for (const { line } of [one, two]) t.strictSame([...new Set(line.bodies)].toSorted(), all.toSorted())
    gateOfOne.resolve()
    await t.resolves(one.appender.append(say('a', 'next')))
    await t.resolves(two.appender.append(say('b', 'next')))
    await until(async () => (await two.store.outbox.ageMs(Date.now() + 1)) === 0)
    t.ok(one.counters.leaseLost >= 1 && two.counters.leaseLost >= 1)
  })
}

function post(id: string) {
  return (tx: Parameters<Parameters<Store['transact']>[0]>[0]): Promise<Write<{ id: string }>> => {
    tx.messages.insert(message(id))
    const events = [{ stream: '/topic/a', address: { kind: 'topic', topic: 'a' } as const, payload: id }]
    return Promise.resolve({ events, result: { id } })
  }
}

async function afterTurns(count: number): Promise<void> {
  for (const _ of numbers(count)) await new Promise((resolve) => setImmediate(resolve))
}
