import type { HeaderList } from '../../../protocol/frame.ts'
import { BoundedQueue } from '../../lib/bounded-queue.ts'
import type { MemoryCounters, MemoryLimits } from './memory-limits.ts'
import type { Turn, TurnTask } from './turn.ts'

/** What queues keep; one object however many queues have the message. */
export interface Content {
  /** What `destination` says on the MESSAGE. */
  readonly destination: string
  readonly headers: HeaderList
  readonly body: Uint8Array
  readonly bytes: number
}

/** A message in one queue. */
export interface QueuedMessage {
  readonly content: Content
  readonly bytes: number
  /** Its place in the queue, which it takes again when it is given back. */
  readonly place: number
  readonly isRedelivered: boolean
}

export interface QueueConsumer {
  /** Whether it may have another message now. Whoever makes it true calls `MemoryQueue.wake`. */
  hasCredit(): boolean
  take(message: QueuedMessage): void
  /** The last message has been taken, by whichever consumer. */
  onEmpty?(): void
}

export interface QueueOptions {
  readonly name: string
  /** Belongs to one subscription of one session; nobody else may read it. */
  readonly isPrivate: boolean
  /** What gives way when the queue is full: the new message, or the oldest one. */
  readonly overflow: 'refuse' | 'drop-oldest'
  readonly limits: MemoryLimits
  readonly counters: MemoryCounters
  readonly turn: Turn
}

/** One queue with competing consumers, served in turn as far as their credit goes. */
export class MemoryQueue implements TurnTask {
  readonly name: string
  readonly isPrivate: boolean
  readonly #options: QueueOptions
  readonly #waiting: BoundedQueue<QueuedMessage>
  /** Given back, so older than all that wait; the oldest is last. Bounded by what consumers may hold. */
  #returned: QueuedMessage[] = []
  readonly #consumers: QueueConsumer[] = []
  #nextConsumer = 0
  #nextPlace = 0

  constructor(options: QueueOptions) {
    this.name = options.name
    this.isPrivate = options.isPrivate
    this.#options = options
    this.#waiting = new BoundedQueue(options.limits.queueMessages, options.limits.queueBytes)
  }

  get consumers(): number {
    return this.#consumers.length
  }

  get size(): number {
    return this.#returned.length + this.#waiting.size
  }

  /** @returns false where the queue is full and does not drop */
  push(content: Content): boolean {
    const { overflow, counters } = this.#options
    while (!this.#waiting.hasRoomFor(content.bytes)) {
      if (overflow === 'refuse') {
        counters.refused += 1
        return false
      }
      this.#waiting.shift()
      counters.droppedOldest += 1
    }
    const { bytes } = content
    this.#waiting.push({ content, bytes, place: this.#nextPlace, isRedelivered: false })
    this.#nextPlace += 1
    this.wake()
    return true
  }

  /** Puts messages back where they were, before all that have not been handed out. */
  giveBack(messages: Iterable<QueuedMessage>): void {
    for (const message of messages) this.#returned.push({ ...message, isRedelivered: true })
    this.#returned.sort((a, b) => b.place - a.place)
    this.wake()
  }

  addConsumer(consumer: QueueConsumer): void {
    this.#consumers.push(consumer)
    this.wake()
  }

  removeConsumer(consumer: QueueConsumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index >= 0) this.#consumers.splice(index, 1)
  }

  /** Hands out what it can once the turn is over. */
  wake(): void {
    if (this.size > 0 && this.#consumers.length > 0) this.#options.turn.schedule(this)
  }

  dispatch(): boolean {
    const { turnMessages, turnBytes } = this.#options.limits
    let bytes = 0
    for (let count = 0; count < turnMessages && bytes < turnBytes; count += 1) {
      if (this.size === 0) return this.#tellEmpty()
      const consumer = this.#consumerWithCredit()
      if (consumer === undefined) return false
      const message = this.#returned.pop() ?? this.#waiting.shift()
      if (message === undefined) return false
      bytes += message.bytes
      consumer.take(message)
    }
    return true
  }

  #tellEmpty(): false {
    for (const consumer of this.#consumers) consumer.onEmpty?.()
    return false
  }

  #consumerWithCredit(): QueueConsumer | undefined {
    for (let tried = 0; tried < this.#consumers.length; tried += 1) {
      const consumer = this.#consumers[this.#nextConsumer % this.#consumers.length]
      this.#nextConsumer = (this.#nextConsumer + 1) % this.#consumers.length
      if (consumer?.hasCredit() === true) return consumer
    }
    return undefined
  }
}
