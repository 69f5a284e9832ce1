import type { Delivery } from '../broker/broker.ts'
import type { StreamReader } from '../stream/stream-reader.ts'
import type { BatchTraits } from './encoded-batch.ts'
import type { Entry } from './entry.ts'
import type { EntryPlace } from './entry-index.ts'
import type { FanoutMessage } from './fanout-message.ts'
import { HeadWatch } from './head-watch.ts'
import { Replay, type Recovery, type StartPosition } from './replay.ts'
import { StreamGate, type GateCounters } from './stream-gate.ts'
import { streamAt } from './stream-place.ts'
import type { Subscriber } from './subscriber.ts'

export interface StreamCounters extends GateCounters {
  /** Subscribers that began with what is stored, and how many events they were sent of it. */
  replays: number
  replayed: number
  /** Subscribers that could not be sent what they had missed. */
  notRecovered: number
}

export interface HubStreamsParts {
  readonly reader: StreamReader
  readonly counters: StreamCounters
  readonly entries: () => Iterable<Entry>
  readonly toMessage: (delivery: Delivery) => FanoutMessage
  /** Sends a message to the subscribers of an entry. */
  readonly pass: (entry: Entry, message: FanoutMessage) => void
  readonly onFault: (error: unknown) => void
  readonly compareMs: number
  readonly compareGraceMs: number
}

/** The message of an event, as the broker brought it. */
export interface StoredMessage {
  readonly eventId: string
  readonly message: FanoutMessage
}

/** A subscriber on its way to be attached. */
export interface Beginner {
  readonly entry: Entry
  readonly subscriber: Subscriber
  readonly traits: BatchTraits
  /** Called once, in the turn from which on the subscriber gets what passes. */
  readonly attach: () => void
}

/** The stored streams of a hub: a gate for each that is watched, and replay for those who resume. */
export class HubStreams {
  readonly #parts: HubStreamsParts
  readonly #headWatch: HeadWatch

  constructor(parts: HubStreamsParts) {
    this.#parts = parts
    this.#headWatch = new HeadWatch({
      reader: parts.reader,
      gates: () => this.#openGates(),
      onFault: parts.onFault,
      intervalMs: parts.compareMs,
      graceMs: parts.compareGraceMs,
    })
  }

  /** The gate of a place, where it is a stream. */
  gateOf(place: EntryPlace, entry: () => Entry): StreamGate | undefined {
    const at = streamAt(place)
    if (at === undefined) return undefined
    const { reader, counters, toMessage, pass, onFault } = this.#parts
    return new StreamGate({
      ...at,
      reader,
      counters,
      toMessage,
      pass: (message) => pass(entry(), message),
      onFault,
    })
  }

  /** Takes a stored event to the gate of its stream. */
  arrive(entry: Entry, gate: StreamGate, { eventId, message }: StoredMessage): void {
    if (!gate.offer(eventId, message)) void this.#judge(entry, gate, { eventId, message })
  }

  /** Sends a subscriber what it wants of what is stored, and attaches it. @throws as `Replay.run` */
  async begin(beginner: Beginner, gate: StreamGate, from: StartPosition): Promise<Recovery> {
    const { reader, counters } = this.#parts
    const replay = new Replay({
      gate,
      reader,
      subscriber: beginner.subscriber,
      traits: beginner.traits,
      attach: beginner.attach,
      onReplayed: (count) => {
        counters.replayed += count
      },
    })
    counters.replays += 1
    const recovery = await replay.run(from)
    if (recovery.recovered === false) counters.notRecovered += 1
    return recovery
  }

  /** Looks whether messages were lost that nothing else tells of. */
  compare(): void {
    for (const { gate } of this.#parts.entries()) if (gate?.isOpen === false) gate.doubt()
    this.#headWatch.compare()
  }

  close(): void {
    this.#headWatch.close()
  }

  /** An id of an unknown epoch: another database may have taken the place of the one that was. */
  async #judge(entry: Entry, gate: StreamGate, { eventId, message }: StoredMessage): Promise<void> {
    const { reader, counters, pass, onFault } = this.#parts
    try {
      await reader.refreshEpoch()
    } catch (error) {
      onFault(error)
    }
    for (const each of this.#openGates()) {
      if (reader.epochOf(each.stream) !== each.epoch) each.reopen(eventId)
    }
    if (gate.offer(eventId, message)) return
    counters.strangers += 1
    pass(entry, message.anonymous())
  }

  #openGates(): StreamGate[] {
    const gates: StreamGate[] = []
    for (const { gate } of this.#parts.entries()) if (gate?.isOpen === true) gates.push(gate)
    return gates
  }
}
