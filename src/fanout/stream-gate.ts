import { formatEventId, type EventId } from '../../protocol/event-id.ts'
import type { Delivery } from '../broker/broker.ts'
import { backoffMs } from '../lib/backoff.ts'
import type { StoredEvent, StreamReader } from '../stream/stream-reader.ts'
import type { FanoutMessage } from './fanout-message.ts'

/** What gates did, all of a node together. */
export interface GateCounters {
  /** Events that came again. */
  duplicates: number
  /** Times that an event was missing when a later one came. */
  gaps: number
  /** Missing events that were read from the store. */
  filled: number
  /** Missing events that the store had no more. */
  trimmed: number
  /** Messages whose event id the store never gave. */
  strangers: number
  /** Times that the store was found to have gone back behind what it had said. */
  rewound: number
}

export interface StreamGateParts {
  readonly stream: string
  readonly reader: StreamReader
  readonly counters: GateCounters
  /** Makes the message of an event that was read from the log. */
  readonly toMessage: (delivery: Delivery) => FanoutMessage
  /** Where the events of the stream are published to. */
  readonly address: Delivery['address']
  /** Gets what is next in order, and messages of strangers without their event id. */
  readonly pass: (message: FanoutMessage) => void
  readonly onFault: (error: unknown) => void
}

/** Events read at once to fill a hole. */
const PAGE = 200
/** What waits for an event before it; beyond it later ones are read from the log when their turn comes. */
const MAX_WAITING_BYTES = 524_288
/** The broker may bring events in another order for a moment: milliseconds. */
const HOLE_WAIT_MS = 30
/** Where a gate stands that does not know yet where its stream stands: before any offset. */
const NOT_OPEN = -1
const RETRY_BASE_MS = 100
const RETRY_MAX_MS = 2000

/**
 * The one place through which the events of a stream reach this node's subscribers, whether the broker
 * brought them or they were read from the log: in order, each once, and none left out
 * (ARCHITECTURE, "Streams"). What comes twice is dropped, what comes early waits, and what is missing
 * is read from the store.
 */
export class StreamGate {
  readonly stream: string
  readonly #parts: StreamGateParts
  readonly #waiting = new Map<number, FanoutMessage>()
  #waitingBytes = 0
  #epoch: string
  /** The last offset that passed, or the head when the gate was opened. */
  #last = NOT_OPEN
  /** The highest offset known to be stored. */
  #target = 0
  #timer: NodeJS.Timeout | undefined
  #isFilling = false
  #isClosed = false
  /** The answer about the head that is under way may be too old. */
  #isDoubtful = false

  constructor(parts: StreamGateParts) {
    this.#parts = parts
    this.stream = parts.stream
    this.#epoch = parts.reader.epochOf(parts.stream)
  }

  /** What the event ids of this stream begin with. */
  get epoch(): string {
    return this.#epoch
  }

  /** The last offset that subscribers have been sent; of no meaning while the gate is not open. */
  get last(): number {
    return this.#last
  }

  /** Behind the last event that subscribers have been sent. */
  get position(): EventId {
    return { epoch: this.#epoch, offset: Math.max(0, this.#last) }
  }

  /** Whether it is known where the stream stands. */
  get isOpen(): boolean {
    return this.#last !== NOT_OPEN
  }

  /** Reads where the stream stands. @throws MessageError `store-unavailable` */
  async open(): Promise<void> {
    let head: number
    do {
      this.#isDoubtful = false
      head = await this.#parts.reader.head(this.stream)
    } while (this.#isDoubtful)
    this.#last = head
    this.#drain()
    this.#expectMore(HOLE_WAIT_MS)
  }

  /**
   * Hears that messages may have been lost. Who opens asks for the head again: an event that was stored
   * after the first answer may be one of them, and no comparison comes by a gate that is not open.
   */
  doubt(): void {
    this.#isDoubtful = true
  }

  /**
   * Begins anew where another database took the place of the one that was.
   * @param eventId what came of the new one: if it is of this stream, the gate stands before it
   */
  reopen(eventId: string): void {
    this.#epoch = this.#parts.reader.epochOf(this.stream)
    this.#forget()
    const offset = this.#offsetOf(eventId)
    this.#last = offset === undefined ? NOT_OPEN : offset - 1
    this.#target = 0
    this.#expectMore(0)
  }

  /**
   * Takes an event that the broker brought.
   * @returns false, and nothing is done, where its id is of another epoch
   */
  offer(eventId: string, message: FanoutMessage): boolean {
    const offset = this.#offsetOf(eventId)
    if (offset === undefined) return false
    if (offset <= this.#last) {
      this.#parts.counters.duplicates += 1
    } else if (offset - 1 === this.#last) {
      this.#pass(offset, message)
      this.#drain()
    } else {
      this.#keep(offset, message)
    }
    return true
  }

  /** Takes an event that was read from the log. Those before it are known to be gone. */
  offerStored(event: StoredEvent): void {
    if (!this.isOpen || event.offset <= this.#last) return
    this.#parts.counters.trimmed += event.offset - this.#last - 1
    const kept = this.#waiting.get(event.offset)
    if (kept === undefined) this.#parts.counters.filled += 1
    this.#pass(event.offset, kept ?? this.messageOf(event))
    this.#drain()
  }

  /** What subscribers get of an event that was read from the log. */
  messageOf({ offset, headers, body }: StoredEvent): FanoutMessage {
    const { address, toMessage } = this.#parts
    return toMessage({
      address,
      headers,
      body: Buffer.from(body),
      eventId: formatEventId(this.#epoch, offset),
    })
  }

  /**
   * Hears where the stream stood.
   * @param lastThen `last` when the store was asked
   */
  compare(head: number, lastThen: number): void {
    if (head >= lastThen) {
      this.#target = Math.max(this.#target, head)
      return
    }
    // What the store has said once it does not say again: it was put back to an earlier state.
    this.#parts.counters.rewound += 1
    this.#forget()
    this.#last = head
    this.#target = head
  }

  /** Reads what is missing up to what is known to be stored, unless it has come meanwhile. */
  catchUp(): void {
    this.#expectMore(0)
  }

  /** Reads what comes next from the log, one page. @throws MessageError `store-unavailable` */
  async advance(): Promise<void> {
    const last = this.#last
    if (!this.isOpen) await this.open()
    else if (!(await this.#readOn(last))) await this.#nothingAfter(last)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#forget()
  }

  #offsetOf(eventId: string): number | undefined {
    const { length } = this.#epoch
    if (eventId[length] !== ':' || !eventId.startsWith(this.#epoch)) return undefined
    const offset = Number(eventId.slice(length + 1))
    return Number.isSafeInteger(offset) && offset > 0 ? offset : undefined
  }

  #keep(offset: number, message: FanoutMessage): void {
    if (this.#waitingBytes + message.bytes <= MAX_WAITING_BYTES && !this.#waiting.has(offset)) {
      this.#waiting.set(offset, message)
      this.#waitingBytes += message.bytes
    }
    this.#target = Math.max(this.#target, offset)
    if (this.isOpen) this.#expectMore(HOLE_WAIT_MS)
  }

  #pass(offset: number, message: FanoutMessage): void {
    this.#last = offset
    this.#drop(offset)
    this.#parts.pass(message)
  }

  /** Lets pass what waited for this. */
  #drain(): void {
    if (this.#waiting.size === 0) return
    let message = this.#waiting.get(this.#last + 1)
    while (message !== undefined) {
      this.#pass(this.#last + 1, message)
      message = this.#waiting.get(this.#last + 1)
    }
    for (const offset of this.#waiting.keys()) if (offset <= this.#last) this.#drop(offset)
  }

  #drop(offset: number): void {
    const message = this.#waiting.get(offset)
    if (message === undefined) return
    this.#waiting.delete(offset)
    this.#waitingBytes -= message.bytes
  }

  #forget(): void {
    this.#waiting.clear()
    this.#waitingBytes = 0
  }

  get #isBehind(): boolean {
    return !this.#isClosed && (!this.isOpen || this.#last < this.#target)
  }

  #expectMore(graceMs: number): void {
    if (!this.#isBehind || this.#isFilling || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (!this.#isBehind) return
      if (this.isOpen) this.#parts.counters.gaps += 1
      void this.#fill()
    }, graceMs)
  }

  async #fill(): Promise<void> {
    this.#isFilling = true
    for (let attempt = 0; this.#isBehind;) {
      try {
        await this.advance()
        attempt = 0
      } catch (error) {
        this.#parts.onFault(error)
        await new Promise((resolve) => {
          setTimeout(resolve, backoffMs(attempt++, RETRY_BASE_MS, RETRY_MAX_MS)).unref()
        })
      }
    }
    this.#isFilling = false
  }

  /** @returns whether the log holds anything after this offset */
  async #readOn(after: number): Promise<boolean> {
    const epoch = this.#epoch
    const events = await this.#parts.reader.read(this.stream, after, PAGE)
    if (epoch === this.#epoch) for (const event of events) this.offerStored(event)
    return events.length > 0
  }

  /** The log held nothing there, and something was said to be stored. */
  async #nothingAfter(last: number): Promise<void> {
    // What comes while the head is asked for may be stored after that.
    const suspects = new Set(this.#waiting.keys())
    const head = await this.#parts.reader.head(this.stream)
    // Read again: what was stored between the two questions is not trimmed.
    if (head > last && (await this.#readOn(last))) return
    if (this.#last !== last || this.#isClosed) return
    if (head > last) this.#skipTrimmed(head)
    else this.#passStrangers(head, suspects)
  }

  /** All up to the head is gone from the log; what the broker brought of it is still here. */
  #skipTrimmed(head: number): void {
    const first = Math.min(head + 1, ...this.#waiting.keys())
    this.#parts.counters.trimmed += first - this.#last - 1
    this.#last = first - 1
    this.#drain()
  }

  /** The store never gave these offsets: they are no events of this stream (ARCHITECTURE, "Streams"). */
  #passStrangers(head: number, suspects: ReadonlySet<number>): void {
    for (const [offset, message] of this.#waiting) {
      if (!suspects.has(offset)) continue
      this.#drop(offset)
      this.#parts.counters.strangers += 1
      this.#parts.pass(message.anonymous())
    }
    this.#target = Math.max(head, ...this.#waiting.keys())
  }
}
