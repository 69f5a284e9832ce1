import { MessageError } from '../errors.ts'
import type { Broker, BrokerReceiver, Delivery, WatchTarget } from '../broker/broker.ts'
import type { StoredDelivery } from '../stream/tell-first.ts'
import type { StreamReader } from '../stream/stream-reader.ts'
import { Entry, type EntryReport } from './entry.ts'
import { EntryIndex, type EntryPlace } from './entry-index.ts'
import { FanoutMessage } from './fanout-message.ts'
import type { Group, Member } from './group.ts'
import {
  DEFAULT_LIMITS,
  newCounters,
  type HubCounters,
  type HubLimits,
  type HubObserver,
  type HubOptions,
} from './hub-options.ts'
import { HubStreams, type Beginner } from './hub-streams.ts'
import type { Recovery, StartPosition } from './replay.ts'
import type { Subscriber } from './subscriber.ts'
import { watchPlace } from './watch-place.ts'

export interface SubscribeRequest {
  readonly target: WatchTarget
  /** As the client wrote it; a message of a user shows it. A topic shows the topic published to. */
  readonly destination: string
  /** With a user as target: only what is addressed to this destination of the user (`/user/queue/x`). */
  readonly userDestination?: string
  readonly subscriber: Subscriber
  /** Without it the subscriber gets what is published from now on. */
  readonly from?: StartPosition
}

export interface HubSubscription {
  readonly recovery: Recovery
  /** Delivers what arrived before, then nothing more. Idempotent. */
  readonly close: () => void
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
  readonly #streams: HubStreams | undefined
  readonly #counters = newCounters()
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
  #messageCount = 0
  #isClosed = false

  constructor({ broker, nodeId, streams, limits, observer }: HubOptions) {
    this.#broker = broker
    this.#nodeId = nodeId
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#observer = observer
    this.#index = new EntryIndex(this.#limits.rememberedTopics)
    this.#streams = streams === undefined ? undefined : this.#openStreams(streams)
  }

  get counters(): HubCounters {
    return this.#counters
  }

  /** Targets watched, those being asked for included. */
  get entryCount(): number {
    return this.#entries.size
  }

  /**
   * Resolves when every message published later reaches the subscriber, and it has been sent what it
   * asked for of what is stored.
   * @throws MessageError as `Broker.watch` does, `store-unavailable` where a stream cannot be read, or
   * `broker-unavailable` once the hub is closed
   */
  async subscribe(request: SubscribeRequest): Promise<HubSubscription> {
    const { target, destination, userDestination, subscriber } = request
    const place: EntryPlace = { target, userDestination }
    const entry = this.#hold(place)
    await entry.ready
    const { subscriptionId, version } = subscriber
    const traits = {
      subscriptionId,
      version,
      shownAs: userDestination === undefined ? undefined : destination,
    }
    const member: Member = { subscriber }
    let group: Group | undefined
    const attach = (): void => {
      if (this.#isClosed) throw closedError()
      group = entry.join(traits, member)
    }
    try {
      const recovery = await this.#begin({ entry, subscriber, traits, attach }, request.from)
      return { recovery, close: once(() => this.#leave(place, entry, { group, member })) }
    } catch (error) {
      this.#leave(place, entry, { group, member })
      throw error
    }
  }

  onMessage(delivery: Delivery): void {
    this.#counters.received += 1
    const message = this.#message(delivery)
    this.#index.find(delivery, (entry) => {
      if (entry !== undefined) this.#arrive(entry, message)
    })
    this.#flushIfFull()
  }

  /**
   * Takes an event that this node has just stored, before the broker brings it, for subscribers of its
   * stream: what a node says to its own need not travel. The broker's copy is then one that came again.
   * Those who get messages as they come (patterns, all destinations of a user) wait for that copy.
   */
  onStored(delivery: StoredDelivery): void {
    let message: FanoutMessage | undefined
    this.#index.find(delivery, (entry) => {
      const gate = entry?.gate
      if (gate?.isOpen !== true) return
      message ??= this.#message(delivery)
      const { last } = gate
      gate.offer(delivery.eventId, message)
      if (gate.last > last) this.#counters.early += 1
    })
    this.#flushIfFull()
  }

  onHole(reason: string): void {
    this.#counters.holes += 1
    this.#observer?.hole(reason)
    this.compare()
  }

  /** Looks whether any stream has lost its last events: after a link came back, say. */
  compare(): void {
    this.#streams?.compare()
  }

  /** Delivers what is pending, then ends all watches. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#flush()
    this.#streams?.close()
    for (const entry of this.#entries) void entry.close()
    this.#entries.clear()
  }

  #flushIfFull(): void {
    const { pendingMessages, pendingBytes } = this.#limits
    if (this.#pendingMessages >= pendingMessages || this.#pendingBytes >= pendingBytes) this.#flush()
  }

  #message(delivery: Delivery): FanoutMessage {
    this.#messageCount += 1
    return new FanoutMessage(delivery, `${this.#nodeId}-${this.#messageCount}`)
  }

  /** A stored event goes through the gate of its stream; whatever else comes passes at once. */
  #arrive(entry: Entry, message: FanoutMessage): void {
    const { eventId } = message.delivery
    if (eventId === undefined || entry.gate === undefined || this.#streams === undefined) {
      this.#pass(entry, message)
    } else {
      this.#streams.arrive(entry, entry.gate, { eventId, message })
    }
  }

  async #begin(beginner: Beginner, from: StartPosition | undefined): Promise<Recovery> {
    const { gate } = beginner.entry
    if (from !== undefined && gate !== undefined && this.#streams !== undefined) {
      return this.#streams.begin(beginner, gate, from)
    }
    beginner.attach()
    if (gate !== undefined) return { position: gate.position }
    return from === undefined ? {} : { recovered: false, reason: 'not-a-stream' }
  }

  #openStreams(reader: StreamReader): HubStreams {
    return new HubStreams({
      reader,
      counters: this.#counters,
      entries: () => this.#entries,
      toMessage: (delivery) => this.#message(delivery),
      pass: (entry, message) => this.#pass(entry, message),
      onFault: (error) => this.#observer?.storeFailed(error),
      compareMs: this.#limits.compareMs,
      compareGraceMs: this.#limits.compareGraceMs,
    })
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
      const made: Entry = new Entry({
        watch: watchPlace(this.#broker, place.target),
        gate: this.#streams?.gateOf(place, () => made),
        report: this.#report,
      })
      entry = made
      this.#index.set(place, made)
      this.#entries.add(made)
      // Before anybody who waits hears of it, so that the next one asks the broker afresh.
      made.ready.catch(() => {
        this.#forget(place, made)
      })
    }
    entry.holders += 1
    return entry
  }

  #leave(
    place: EntryPlace,
    entry: Entry,
    { group, member }: { group: Group | undefined; member: Member },
  ): void {
    if (group !== undefined) entry.leave(group, member)
    entry.holders -= 1
    if (entry.holders === 0 && !this.#isClosed) this.#forget(place, entry)
  }

  #forget(place: EntryPlace, entry: Entry): void {
    this.#index.delete(place)
    this.#entries.delete(entry)
    void entry.close()
  }
}

function closedError(): MessageError {
  return new MessageError('broker-unavailable', 'the server is shutting down')
}

function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) act()
    isDone = true
  }
}
