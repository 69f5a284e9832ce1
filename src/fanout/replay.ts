import { parseEventId, type EventId } from '../../protocol/event-id.ts'
import type { StreamReader } from '../stream/stream-reader.ts'
import { EncodedBatch, type BatchTraits } from './encoded-batch.ts'
import type { FanoutMessage } from './fanout-message.ts'
import type { StreamGate } from './stream-gate.ts'
import type { Subscriber } from './subscriber.ts'

/** Where a subscriber wants to begin: behind an event that it has, or with the last so many. */
export type StartPosition =
  | { readonly kind: 'event-id'; readonly eventId: string }
  | { readonly kind: 'history'; readonly count: number }

/** Why what came after the given id cannot be replayed (CONTRACT, section 6). */
export type RecoveryFailure = 'history-trimmed' | 'unknown-epoch' | 'malformed' | 'not-a-stream'

/** Where a subscription began. */
export interface Recovery {
  /** Behind this event; undefined where the destination is no stream. */
  readonly position?: EventId
  /** Only for those who gave an event id. */
  readonly recovered?: boolean
  /** Why not. */
  readonly reason?: RecoveryFailure
}

export interface ReplayParts {
  readonly gate: StreamGate
  readonly reader: StreamReader
  readonly subscriber: Subscriber
  readonly traits: BatchTraits
  readonly onReplayed: (count: number) => void
  /** Called once, in the turn from which on the subscriber gets what passes the gate. */
  readonly attach: () => void
}

const MAX_PAGE = 100
/** What a page should hold, and what a subscriber is handed before it is asked for room. */
const PAGE_BYTES = 65_536

/**
 * Sends one subscriber what is stored behind its position, until that position is the gate's own, and
 * attaches it: without a microtask in between, as the in-process broker and a gate that reads from the
 * log pass events on in microtasks. So nothing falls between replay and live, and nothing is in both.
 * What is read beyond the gate passes the gate first (ARCHITECTURE, "Streams", rules 1 and 4).
 * @throws MessageError `store-unavailable`
 */
export class Replay {
  readonly #parts: ReplayParts
  readonly #epoch: string
  #page = MAX_PAGE

  constructor(parts: ReplayParts) {
    this.#parts = parts
    this.#epoch = parts.gate.epoch
  }

  run(from: StartPosition): Promise<Recovery> {
    return from.kind === 'history' ? this.#history(from.count) : this.#resume(from.eventId)
  }

  async #history(count: number): Promise<Recovery> {
    let position = Math.max(0, this.#parts.gate.last - count)
    // What was trimmed is not there to be shown: it begins with what is.
    while (this.#isBehind(position)) position = (await this.#send(position)) ?? this.#parts.gate.last
    return this.#attach()
  }

  async #resume(text: string): Promise<Recovery> {
    const id = parseEventId(text)
    if (id === undefined) return this.#fail('malformed')
    if (id.epoch !== this.#epoch) return this.#fail('unknown-epoch')
    if (!(await this.#reaches(id.offset))) return this.#fail('malformed')
    let position = id.offset
    while (this.#isBehind(position)) {
      const next = await this.#send(position, position + 1)
      if (next === undefined) return this.#fail('history-trimmed')
      position = next
    }
    return this.#isCurrent ? { ...this.#attach(), recovered: true } : this.#fail('unknown-epoch')
  }

  #fail(reason: RecoveryFailure): Recovery {
    return { ...this.#attach(), recovered: false, reason }
  }

  #attach(): Recovery {
    this.#parts.attach()
    return { position: this.#parts.gate.position }
  }

  /** Another node may have been ahead: brings the gate there. @returns false where nothing is stored there */
  async #reaches(offset: number): Promise<boolean> {
    const { gate, reader } = this.#parts
    if (gate.last >= offset) return true
    if ((await reader.head(gate.stream)) < offset) return false
    while (this.#isCurrent && gate.last < offset && !this.#isGone) await gate.advance()
    return true
  }

  /** Whether the store is still the one that the position is of. */
  get #isCurrent(): boolean {
    const { gate } = this.#parts
    return gate.epoch === this.#epoch && gate.isOpen
  }

  get #isGone(): boolean {
    return this.#parts.subscriber.isGone?.() === true
  }

  #isBehind(position: number): boolean {
    return this.#isCurrent && !this.#isGone && position < this.#parts.gate.last
  }

  /**
   * Sends a page of what comes after a position.
   * @param first the offset that it must begin with
   * @returns the last offset sent, undefined where it is not there any more
   */
  async #send(position: number, first?: number): Promise<number | undefined> {
    const events = await this.#parts.reader.read(this.#parts.gate.stream, position, this.#page)
    const [begin] = events
    if (begin === undefined || (first !== undefined && begin.offset !== first)) return undefined
    let slice: FanoutMessage[] = []
    let sliceBytes = 0
    let bytes = 0
    for (const event of events) {
      // Before each: while the subscriber made room, the gate may have gone on, or have been left behind.
      this.#parts.gate.offerStored(event)
      const message = this.#parts.gate.messageOf(event)
      slice.push(message)
      sliceBytes += message.bytes
      bytes += message.bytes
      if (sliceBytes < PAGE_BYTES) continue
      await this.#deliver(slice)
      slice = []
      sliceBytes = 0
    }
    if (slice.length > 0) await this.#deliver(slice)
    this.#page = Math.max(1, Math.min(MAX_PAGE, Math.floor((PAGE_BYTES * events.length) / bytes)))
    return begin.offset + events.length - 1
  }

  async #deliver(messages: readonly FanoutMessage[]): Promise<void> {
    const { subscriber, traits, onReplayed } = this.#parts
    subscriber.deliver(new EncodedBatch(messages, traits))
    onReplayed(messages.length)
    await subscriber.room?.()
  }
}
