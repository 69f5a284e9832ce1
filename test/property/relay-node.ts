import { Hub } from '../../src/fanout/hub.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import { NodeLease } from '../../src/stream/node-lease.ts'
import { Outbox } from '../../src/stream/outbox.ts'
import { createStreamCounters } from '../../src/stream/stream-counters.ts'
import { tellFirst } from '../../src/stream/tell-first.ts'
import { StreamReader } from '../../src/stream/stream-reader.ts'
import { Sweeper } from '../../src/stream/sweeper.ts'
import { Trimmer } from '../../src/stream/trimmer.ts'
import { turns } from './chance.ts'
import type { Life } from './life.ts'
import type { NodeStore } from './mortal-store.ts'
import type { Session } from './session.ts'
import type { Tally } from './tally.ts'

export interface RelayNodeParts {
  readonly name: string
  /** Unique among all lives of all nodes. */
  readonly boot: string
  readonly store: NodeStore
  readonly broker: Broker
  readonly life: Life
  readonly tally: Tally
  readonly compares: boolean
  /** Whether own subscribers get what is stored here before the broker brings it. */
  readonly tellsFirst: boolean
  readonly clock: { readonly now: () => Date; readonly trimsAt: (() => Date) | undefined }
}

/** A subscription to a stream at a node. */
export interface Client {
  readonly stream: string
  readonly session: Session
  isAttached: boolean
}

/** For how long a node is thought to be alive when it says nothing. */
export const LEASE_MS = 250
/** The retention of all streams: less than requests are remembered. */
export const RETENTION_DAYS = 0.5

const NEVER_MS = 3_600_000
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** One life of a node: what `relay.ts` wires between store, broker and subscribers, with short times. */
export class RelayNode {
  readonly name: string
  readonly hub: Hub
  readonly appender: StreamAppender
  readonly life: Life
  /** Who is subscribed here: the ends of their connections. */
  readonly clients = new Set<Client>()
  readonly #parts: RelayNodeParts
  readonly #counters = createStreamCounters()
  readonly #lease: NodeLease
  readonly #outbox: Outbox
  readonly #sweeper: Sweeper
  readonly #trimmer: Trimmer | undefined
  #isTallied = false
  #isStopping = false

  constructor(parts: RelayNodeParts) {
    const { name, boot, store, broker, clock, compares } = parts
    const log = SILENT
    const counters = this.#counters
    this.#parts = parts
    this.name = name
    this.life = parts.life
    this.hub = new Hub({
      broker,
      nodeId: boot,
      streams: new StreamReader({ store, maxReads: 3 }),
      limits: { compareMs: compares ? 100 : NEVER_MS, compareGraceMs: 10 },
    })
    const quick = { removeDelayMs: 5, retryBaseMs: 2, retryMaxMs: 10, closeTimeoutMs: 100, doubtMs: 50 }
    this.#outbox = new Outbox({ store, broker, log, counters, ...quick })
    const retention = { userDays: RETENTION_DAYS, days: RETENTION_DAYS }
    const { now, trimsAt } = clock
    const early = tellFirst(this.#outbox, store, (event) => this.hub.onStored(event))
    const relay = parts.tellsFirst ? early : this.#outbox
    this.appender = new StreamAppender({ store, relay, log, counters, retention, now })
    this.#lease = new NodeLease({ store, nodeId: name, boot, log, counters, ttlMs: LEASE_MS })
    this.#sweeper = new Sweeper({
      outbox: this.#outbox,
      lease: this.#lease,
      log,
      intervalMs: 50,
      batchSize: 20,
    })
    if (trimsAt !== undefined) {
      this.#trimmer = new Trimmer({
        store,
        log,
        counters,
        now: trimsAt,
        intervalMs: 25,
        batchSize: 20,
        pauseMs: 1,
      })
    }
  }

  get broker(): Broker {
    return this.#parts.broker
  }

  /** Whether it takes no more clients. */
  get isGone(): boolean {
    return this.#isStopping || this.life.isOver
  }

  async start(): Promise<void> {
    const { broker } = this.#parts
    broker.onStatus(({ isUp }) => {
      if (isUp) this.hub.compare()
    })
    await broker.start(this.hub)
    await this.#lease.start()
    await this.#outbox.start()
    this.#sweeper.start()
    this.#trimmer?.start()
  }

  /** In the order of `relay.ts`: clients first, the hub when all is relayed that can be. */
  async stop(): Promise<void> {
    this.#isStopping = true
    for (const { session } of this.clients) session.cut()
    await this.appender.close()
    await turns(1)
    await this.#trimmer?.close()
    await this.#sweeper.close()
    await this.#outbox.close()
    await this.#lease.close()
    this.hub.close()
    await this.#parts.broker.close()
    this.#tallyUp()
  }

  /** What the operating system does for a process that was killed: links end, and nobody says goodbye. */
  async bury(): Promise<void> {
    for (const { session } of this.clients) session.cut()
    this.#tallyUp()
    this.hub.close()
    // Their timers end with the process. What they wait for never comes.
    void this.#sweeper.close()
    void this.#trimmer?.close()
    await this.#parts.broker.close()
    await this.life.settled()
  }

  #tallyUp(): void {
    if (this.#isTallied) return
    this.#isTallied = true
    const { tally } = this.#parts
    const { duplicates, gaps, filled, early } = this.hub.counters
    const { claimed, repeats, givenUp, trimmed } = this.#counters
    tally.hit('duplicate dropped', duplicates)
    tally.hit('delivered before the broker brought it', early)
    tally.hit('gap noticed', gaps)
    tally.hit('hole filled', filled)
    tally.hit('outbox rows taken over', claimed)
    tally.hit('request repeated', repeats)
    tally.hit('event given up after refusals', givenUp)
    tally.hit('events trimmed', trimmed)
  }
}
