import type { Broker } from '../broker/broker.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { StreamAppender, type CommittedBatch } from './append.ts'
import type { Retention } from './event-row.ts'
import { NodeLease } from './node-lease.ts'
import { OutboxAge } from './outbox-age.ts'
import { Outbox } from './outbox.ts'
import { tellFirst, type StoredDelivery } from './tell-first.ts'
import { createStreamCounters, type StreamCounters } from './stream-counters.ts'
import { Sweeper } from './sweeper.ts'
import { Trimmer } from './trimmer.ts'

export interface StreamsOptions {
  readonly store: Pick<Store, 'transact' | 'epoch' | 'outbox' | 'nodes' | 'log' | 'requests'>
  readonly broker: Pick<Broker, 'publish'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly nodeId: string
  /** Unique for each process. */
  readonly boot: string
  readonly retention: Retention
  readonly onBatch?: (batch: CommittedBatch) => void
  /** Gets each event that nodes deliver once it is stored, just before it is relayed. */
  readonly onStored?: (event: StoredDelivery) => void
  readonly now?: () => Date
  /** Default 60,000. */
  readonly trimIntervalMs?: number
}

/** The writing side of the streams of one node: storing, relaying, taking over and trimming. */
export class Streams {
  readonly appender: StreamAppender
  readonly counters: Readonly<StreamCounters>
  readonly outboxAge: OutboxAge
  readonly #outbox: Outbox
  readonly #lease: NodeLease
  readonly #sweeper: Sweeper
  readonly #trimmer: Trimmer

  constructor(options: StreamsOptions) {
    const {
      store,
      broker,
      log,
      nodeId,
      boot,
      retention,
      trimIntervalMs: intervalMs,
      onStored,
      ...told
    } = options
    const counters = createStreamCounters()
    const clock = told.now === undefined ? {} : { now: told.now }
    const outbox = new Outbox({ store, broker, log, counters })
    const lease = new NodeLease({ store, nodeId, boot, log, counters })
    const relay = onStored === undefined ? outbox : tellFirst(outbox, store, onStored)
    this.appender = new StreamAppender({ store, relay, log, counters, retention, ...told })
    this.counters = counters
    this.outboxAge = new OutboxAge({ store, ...clock })
    this.#outbox = outbox
    this.#lease = lease
    this.#sweeper = new Sweeper({ outbox, lease, log })
    const pace = intervalMs === undefined ? {} : { intervalMs }
    this.#trimmer = new Trimmer({ store, log, counters, ...clock, ...pace })
  }

  /** Stored events in memory that the broker has not confirmed. */
  get held(): number {
    return this.#outbox.held
  }

  /**
   * Takes the name of the node, relays what its last process left behind, and goes on.
   *
   * @throws NodeError `node-id-taken`
   * @throws MessageError `store-unavailable`
   */
  async start(): Promise<void> {
    await this.#lease.start()
    await this.#outbox.start()
    this.#sweeper.start()
    this.#trimmer.start()
  }

  /** Stores what was called for, and relays what it can within a bound. Idempotent; never rejects. */
  async close(): Promise<void> {
    await this.appender.close()
    await new Promise((resolve) => setImmediate(resolve)) // what was just stored is pushed
    await this.#trimmer.close()
    await this.#sweeper.close()
    await this.#outbox.close()
    // Last: whoever sees the lease gone takes over what is left.
    await this.#lease.close()
  }
}
