import type { AckMode } from '../broker.ts'
import type { MemoryQueue, QueueConsumer, QueuedMessage } from './memory-queue.ts'

/** What a SUBSCRIBE says, its destination resolved. */
export interface SubscriptionTerms {
  readonly id: string
  readonly ack: AckMode
  readonly queue: MemoryQueue
  /** Unacknowledged messages at once (RabbitMQ's `prefetch-count`); without acks it has no meaning. */
  readonly prefetch: number
  /** The end of a queue that only this subscription uses. */
  readonly dispose: () => void
}

export interface SubscriptionOptions extends SubscriptionTerms {
  /** A new id for one message; where the subscription acknowledges, the session remembers whose it is. */
  readonly issueId: (subscription: MemorySubscription, message: QueuedMessage) => string
  /** Hands a message to the client. */
  readonly deliver: (subscription: MemorySubscription, messageId: string, message: QueuedMessage) => void
  /** Whether the whole session has room for another unacknowledged message. */
  readonly sessionHasRoom: () => boolean
  /** Whether the client reads what it is sent. */
  readonly sinkHasRoom: () => boolean
}

/** One SUBSCRIBE of one client: a consumer of a queue, and what the client has not acknowledged of it. */
export class MemorySubscription implements QueueConsumer {
  readonly id: string
  readonly ack: AckMode
  readonly #options: SubscriptionOptions
  readonly #unacked = new Map<string, QueuedMessage>()
  #isOpen = true

  constructor(options: SubscriptionOptions) {
    this.id = options.id
    this.ack = options.ack
    this.#options = options
    options.queue.addConsumer(this)
  }

  get unackedCount(): number {
    return this.#unacked.size
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  hasCredit(): boolean {
    if (!this.#options.sinkHasRoom()) return false
    if (this.ack === 'auto') return true
    return this.#unacked.size < this.#options.prefetch && this.#options.sessionHasRoom()
  }

  take(message: QueuedMessage): void {
    const messageId = this.#options.issueId(this, message)
    // Before the client sees it, since it may acknowledge on the spot.
    if (this.ack !== 'auto') this.#unacked.set(messageId, message)
    this.#options.deliver(this, messageId, message)
  }

  /** Removes what an ACK or NACK of this id speaks of: one message, or in `client` mode all up to it. */
  settle(ackId: string): Map<string, QueuedMessage> {
    const settled = new Map<string, QueuedMessage>()
    const candidates = this.ack === 'client' ? this.#unacked.keys() : [ackId]
    for (const candidate of candidates) {
      const message = this.#unacked.get(candidate)
      if (message !== undefined) settled.set(candidate, message)
      this.#unacked.delete(candidate)
      if (candidate === ackId) break
    }
    return settled
  }

  wake(): void {
    this.#options.queue.wake()
  }

  giveBack(messages: Iterable<QueuedMessage>): void {
    this.#options.queue.giveBack(messages)
  }

  /** Gets nothing more. What is unacknowledged stays so until the session ends, as on RabbitMQ. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#options.queue.removeConsumer(this)
    this.#options.dispose()
  }

  /** The session is over: what is unacknowledged goes back to the queue. */
  end(): void {
    this.close()
    this.#options.queue.giveBack(this.#unacked.values())
    this.#unacked.clear()
  }
}
