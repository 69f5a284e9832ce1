import { MessageError } from '../errors.ts'
import type { Broker, BrokerReceiver, Delivery, WatchTarget } from '../broker/broker.ts'
import { Entry, type EntryReport } from './entry.ts'
import { EntryIndex, type EntryPlace } from './entry-index.ts'
import { FanoutMessage } from './fanout-message.ts'
import type { Group, Member } from './group.ts'
import type { Subscriber } from './subscriber.ts'

export interface HubOptions {
  readonly broker: Broker
  /** Begins every `message-id`: unique among nodes, and among the runs of one node. */
  readonly nodeId: string
  readonly limits?: Partial<HubLimits>
  readonly observer?: HubObserver
}

/** What is pending beyond these is sent at once, before the turn ends. */
export interface HubLimits {
  readonly pendingMessages: number
  readonly pendingBytes: number
  /** Topics for which the matching wildcard patterns are remembered. */
  readonly rememberedTopics: number
}

const DEFAULT_LIMITS: HubLimits = { pendingMessages: 512, pendingBytes: 262_144, rememberedTopics: 10_000 }

/** Rare events, for the log. What happens often is in `Hub.counters`. */
export interface HubObserver {
  hole(reason: string): void
  /** A subscriber broke its contract and threw. */
  subscriberFailed(error: unknown): void
}

export interface HubCounters {
  /** Messages from the broker. */
  readonly received: number
  /** Messages handed to subscribers: one message to 500 of them counts 500. */
  readonly delivered: number
  readonly flushes: number
  readonly holes: number
  readonly subscriberFaults: number
}

export interface SubscribeRequest {
  readonly target: WatchTarget
  /** As the client wrote it; a message of a user shows it. A topic shows the topic published to. */
  readonly destination: string
  /** With a user as target: only what is addressed to this destination of the user (`/user/queue/x`). */
  readonly userDestination?: string
  readonly subscriber: Subscriber
}

export interface HubSubscription {
  /** Delivers what arrived before, then nothing more. Idempotent. */
  close(): void
}

/**
 * Takes each message from the broker once and hands it to all of this node's subscribers, encoded
 * once for all that bear the same subscription id. What arrives in one turn of the event loop is
 * delivered as one batch at the turn's end, since writes, not bytes, are what fan-out costs.
 */
export class Hub implements BrokerReceiver {
  readonly #broker: Broker
  readonly #nodeId: string
  readonly #limits: HubLimits
  readonly #observer: HubObserver | undefined
  readonly #index: EntryIndex
  readonly #entries = new Set<Entry>()
  readonly #counters = { received: 0, delivered: 0, flushes: 0, holes: 0, subscriberFaults: 0 }
  readonly #report: EntryReport = {
    delivered: (count) => {
      this.#counters.delivered += count
    },
    fault: (error) => {
      this.#counters.subscriberFaults += 1
      this.#observer?.subscriberFailed(error)
    },
  }
  #dirty: Entry[] = []
  #pendingMessages = 0
  #pendingBytes = 0
  #flushing: NodeJS.Immediate | undefined
  #isClosed = false

  constructor({ broker, nodeId, limits, observer }: HubOptions) {
    this.#broker = broker
    this.#nodeId = nodeId
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#observer = observer
    this.#index = new EntryIndex(this.#limits.rememberedTopics)
  }

  get counters(): HubCounters {
    return this.#counters
  }

  /** Targets watched, those being asked for included. */
  get entryCount(): number {
    return this.#entries.size
  }

  /**
   * Resolves when the broker's watch stands: every message published later reaches the subscriber.
   * @throws MessageError as `Broker.watch` does, or `broker-unavailable` once the hub is closed
   */
  async subscribe(request: SubscribeRequest): Promise<HubSubscription> {
    const { target, destination, userDestination, subscriber } = request
    const place: EntryPlace = { target, userDestination }
    const entry = this.#hold(place)
    await entry.watch
    if (this.#isClosed) throw closedError()
    const { subscriptionId, version } = subscriber
    const shownAs = userDestination === undefined ? undefined : destination
    const member: Member = { subscriber }
    const group = entry.join({ subscriptionId, version, shownAs }, member)
    return this.#subscription(place, entry, { group, member })
  }

  onMessage(delivery: Delivery): void {
    this.#counters.received += 1
    const message = new FanoutMessage(delivery, `${this.#nodeId}-${this.#counters.received}`)
    this.#index.find(delivery, (entry) => {
      if (entry !== undefined) this.#pass(entry, message)
    })
    if (
      this.#pendingMessages >= this.#limits.pendingMessages ||
      this.#pendingBytes >= this.#limits.pendingBytes
    ) {
      this.#flush()
    }
  }

  onHole(reason: string): void {
    this.#counters.holes += 1
    this.#observer?.hole(reason)
  }

  /** Delivers what is pending, then ends all watches. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#flush()
    for (const entry of this.#entries) void endWatch(entry)
    this.#entries.clear()
  }

  /** Every message on its way to the subscribers of one target comes through here, in order. */
  #pass(entry: Entry, message: FanoutMessage): void {
    if (this.#isClosed) return
    if (entry.append(message)) this.#dirty.push(entry)
    this.#pendingMessages += 1
    this.#pendingBytes += message.bytes
    this.#flushing ??= setImmediate(() => {
      this.#flush()
    })
  }

  #flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    this.#pendingMessages = 0
    this.#pendingBytes = 0
    const dirty = this.#dirty
    this.#dirty = []
    for (const entry of dirty) {
      this.#counters.flushes += 1
      if (!entry.flush()) this.#dirty.push(entry)
    }
    if (this.#dirty.length > 0) {
      this.#flushing ??= setImmediate(() => {
        this.#flush()
      })
    }
  }

  #hold(place: EntryPlace): Entry {
    if (this.#isClosed) throw closedError()
    let entry = this.#index.get(place)
    if (entry === undefined) {
      const made = new Entry(this.#broker.watch(place.target), this.#report)
      entry = made
      this.#index.set(place, made)
      this.#entries.add(made)
      // Before anybody who waits hears of it, so that the next one asks the broker afresh.
      made.watch.catch(() => {
        this.#forget(place, made)
      })
    }
    entry.holders += 1
    return entry
  }

  #subscription(
    place: EntryPlace,
    entry: Entry,
    { group, member }: { group: Group; member: Member },
  ): HubSubscription {
    let isOpen = true
    return {
      close: () => {
        if (!isOpen) return
        isOpen = false
        entry.leave(group, member)
        entry.holders -= 1
        if (entry.holders > 0 || this.#isClosed) return
        this.#forget(place, entry)
        void endWatch(entry)
      },
    }
  }

  #forget(place: EntryPlace, entry: Entry): void {
    this.#index.delete(place)
    this.#entries.delete(entry)
  }
}

function closedError(): MessageError {
  return new MessageError('broker-unavailable', 'the server is shutting down')
}

async function endWatch(entry: Entry): Promise<void> {
  // A watch that was refused leaves nothing to end.
  const watch = await entry.watch.catch(() => undefined)
  watch?.close()
}
