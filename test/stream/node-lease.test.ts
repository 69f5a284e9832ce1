import { EventEmitter, once } from 'node:events'
import t from 'tap'
import type { Test } from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { NodeLease, type NodeLeaseOptions } from '../../src/stream/node-lease.ts'
import { createStreamCounters } from '../../src/stream/stream-counters.ts'
import type { NodeRepository, Store } from '../../src/store/store.ts'
import { until } from '../support/until.ts'
import { openTestStore, Warnings } from './rig.ts'

t.setTimeout(120_000)

/** Longer than any of these tests. */
const LONG_MS = 600_000

/** The store's nodes, whose renewals the test counts and can hold up. */
class WatchedNodes implements NodeRepository {
  readonly #store: Store
  readonly #emitter = new EventEmitter()
  #renewals = 0
  gate: Promise<void> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  async renew(lease: Parameters<NodeRepository['renew']>[0]): Promise<boolean> {
    await this.gate
    const isOurs = await this.#store.nodes.renew(lease)
    this.#renewals += 1
    this.#emitter.emit('renewal')
    return isOurs
  }

  /** Resolves after so many renewals from now. */
  async more(count: number): Promise<void> {
    const enough = this.#renewals + count
    while (this.#renewals < enough) await once(this.#emitter, 'renewal')
  }

  release(lease: Parameters<NodeRepository['release']>[0]): Promise<void> {
    return this.#store.nodes.release(lease)
  }

  living(): Promise<readonly string[]> {
    return this.#store.nodes.living()
  }
}

async function startLease(t: Test, options: Partial<NodeLeaseOptions> = {}) {
  const { store, hand } = await openTestStore(t)
  const nodes = new WatchedNodes(store)
  const log = new Warnings()
  const counters = createStreamCounters()
  const lease = new NodeLease({
    store: { nodes },
    nodeId: 'node-1',
    boot: 'mine',
    log,
    counters,
    ttlMs: LONG_MS,
    renewMs: 1,
    ...options,
  })
  t.teardown(() => lease.close())
  const other = (ttlMs: number) => store.nodes.renew({ nodeId: 'node-1', boot: 'other', ttlMs })
  return { store, hand, nodes, log, counters, lease, other }
}

await t.test('takes the name, renews it, and gives it back', async (t) => {
  const { store, nodes, lease, other } = await startLease(t)
  t.notOk(lease.isHeld)
  await lease.start()
  t.ok(lease.isHeld)
  t.strictSame(await store.nodes.living(), ['node-1'])
  await nodes.more(5)
  t.notOk(await other(LONG_MS), 'nobody else gets it')
  await Promise.all([lease.close(), lease.close()])
  t.notOk(lease.isHeld)
  t.strictSame(await store.nodes.living(), [])
})

await t.test('keeps the name for longer than a lease lasts', async (t) => {
  const { nodes, lease, counters } = await startLease(t, { ttlMs: 1000, renewMs: 100 })
  await lease.start()
  await nodes.more(15)
  t.ok(lease.isHeld)
  t.equal(counters.leaseLost, 0)
})

await t.test('refuses to start while another process keeps the name alive', async (t) => {
  const { log, lease, other } = await startLease(t, { ttlMs: 50 })
  t.ok(await other(LONG_MS))
  await t.rejects(lease.start(), { name: 'NodeError', code: 'node-id-taken', message: /node-1.*NODE_ID/ })
  t.strictSame(log.events, ['node-id-waiting'])
  await lease.close()
  t.notOk(lease.isHeld)
  t.ok(await other(LONG_MS), 'the lease of the other stands')
})

await t.test('waits until the lease of a killed process has run out', async (t) => {
  const { lease, other } = await startLease(t)
  t.ok(await other(300))
  await lease.start()
  t.ok(lease.isHeld)
})

await t.test('stops waiting when it is closed', async (t) => {
  const { log, lease, other } = await startLease(t)
  await other(LONG_MS)
  const started = lease.start()
  await log.until('node-id-waiting')
  await Promise.all([t.rejects(started), lease.close()])
})

await t.test('says that it was lost to another process, once, and when it is found again', async (t) => {
  const { store, nodes, log, counters, lease, other } = await startLease(t, { ttlMs: 100 })
  await lease.start()
  const gate = deferred()
  nodes.gate = gate.promise
  await until(() => other(LONG_MS))
  t.notOk(lease.isHeld, 'it knows before it asks')
  gate.resolve()
  await log.until('lease-lost')
  await nodes.more(3)
  t.equal(counters.leaseLost, 1)
  t.equal(log.events.filter((event) => event === 'lease-lost').length, 1)
  await store.nodes.release({ nodeId: 'node-1', boot: 'other' })
  await log.until('lease-found')
  await until(() => lease.isHeld)
  t.ok(lease.isHeld)
})

await t.test('is lost when the database is away for longer than it lasts, and found again', async (t) => {
  const { hand, log, counters, lease } = await startLease(t, { ttlMs: 100 })
  await lease.start()
  hand.exec('alter table nodes rename to elsewhere')
  await log.until('lease-lost')
  t.ok(log.events.includes('lease-not-renewed'))
  t.notOk(lease.isHeld)
  t.equal(counters.leaseLost, 1)
  hand.exec('alter table elsewhere rename to nodes')
  await log.until('lease-found')
})

await t.test('closes although the lease cannot be given back', async (t) => {
  const { hand, log, lease } = await startLease(t, { renewMs: LONG_MS })
  await lease.start()
  hand.exec('drop table nodes')
  await lease.close()
  t.strictSame(log.events, ['lease-not-released'])
})

await t.test('does not start where the database does not answer', async (t) => {
  const { hand, lease } = await startLease(t)
  hand.exec('drop table nodes')
  await t.rejects(lease.start(), { code: 'store-unavailable' })
})
