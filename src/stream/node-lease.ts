import { setTimeout as delay } from 'node:timers/promises'
import { NodeError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { Repetition } from '../lib/repetition.ts'
import type { StreamCounters } from './stream-counters.ts'

export interface NodeLeaseOptions {
  readonly store: Pick<Store, 'nodes'>
  readonly nodeId: string
  /** Tells this process from others of the same name. Unique, at most 64 characters. */
  readonly boot: string
  readonly log: Pick<Log, 'warn' | 'info'>
  readonly counters?: Pick<StreamCounters, 'leaseLost'>
  /** For how long the name is held without renewal. Default 6,000. */
  readonly ttlMs?: number
  /** Default: a third of `ttlMs`. */
  readonly renewMs?: number
}

/**
 * The name of this node, held for as long as its process lives. Whoever stops renewing is dead for the
 * others: they take over what it left in the outbox. It need not know: what two nodes relay arrives
 * twice, and is dropped by its event id.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions
  readonly #ttlMs: number
  readonly #counters: Pick<StreamCounters, 'leaseLost'>
  readonly #renewals: Repetition
  readonly #closing = new AbortController()
  /** By this node's monotonic clock, and rather too early. */
  #endsAt = -Infinity
  #hasTaken = false
  #isLost = false
  #closed: Promise<void> | undefined

  constructor(options: NodeLeaseOptions) {
    this.#options = options
    this.#ttlMs = options.ttlMs ?? 6000
    this.#counters = options.counters ?? { leaseLost: 0 }
    this.#renewals = new Repetition({
      run: () => this.#keep(),
      onError: (error) => this.#missed(error),
      intervalMs: options.renewMs ?? this.#ttlMs / 3,
    })
  }

  /** The name is this process's, as far as it can know. */
  get isHeld(): boolean {
    return performance.now() < this.#endsAt
  }

  /**
   * Takes the name and keeps it. A process that was killed leaves its lease behind: so this waits for
   * a little longer than a lease lasts.
   *
   * @throws NodeError `node-id-taken` where another process keeps the name alive
   * @throws MessageError `store-unavailable`
   */
  async start(): Promise<void> {
    const { nodeId, log } = this.#options
    const giveUpAt = performance.now() + this.#ttlMs + 1000
    for (let attempt = 0; !(await this.#renew()); attempt++) {
      if (performance.now() >= giveUpAt) throw taken(nodeId)
      if (attempt === 0) log.info({ event: 'node-id-waiting' }, 'waiting for the name of this node')
      await delay(Math.min(200, this.#ttlMs / 4), undefined, { signal: this.#closing.signal })
    }
    this.#renewals.start()
  }

  /** Gives the name back, so that others need not wait for its end. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await this.#renewals.close()
    this.#endsAt = -Infinity
    if (!this.#hasTaken) return
    const { store, nodeId, boot, log } = this.#options
    await store.nodes
      .release({ nodeId, boot })
      .catch((error: unknown) =>
        log.warn({ event: 'lease-not-released', err: error }, 'the lease runs out by itself'),
      )
  }

  async #renew(): Promise<boolean> {
    const { store, nodeId, boot } = this.#options
    const askedAt = performance.now()
    const isOurs = await store.nodes.renew({ nodeId, boot, ttlMs: this.#ttlMs })
    if (!isOurs) return false
    this.#hasTaken = true
    this.#endsAt = askedAt + this.#ttlMs
    return true
  }

  async #keep(): Promise<void> {
    if (await this.#renew()) this.#found()
    else this.#lost('another process has the name of this node')
  }

  #missed(error: unknown): void {
    this.#options.log.warn({ event: 'lease-not-renewed', err: error }, 'the lease could not be renewed')
    if (!this.isHeld) this.#lost('the lease ran out')
  }

  #found(): void {
    if (this.#isLost) this.#options.log.info({ event: 'lease-found' }, 'the node has its name again')
    this.#isLost = false
  }

  #lost(why: string): void {
    this.#endsAt = -Infinity
    if (this.#isLost) return
    this.#isLost = true
    this.#counters.leaseLost += 1
    this.#options.log.warn({ event: 'lease-lost' }, why)
  }
}

function taken(nodeId: string): NodeError {
  return new NodeError('node-id-taken', `another living node has the name ${nodeId}: choose another NODE_ID`)
}
