import { header, type HeaderList } from '../../../protocol/frame.ts'
import { publishableHeaders } from '../../../protocol/headers.ts'
import { MessageError, SessionError } from '../../errors.ts'
import { ownedBytes } from '../../lib/owned-bytes.ts'
import type {
  AckOptions,
  BrokerSend,
  BrokerSession,
  BrokerSessionSink,
  BrokerSubscription,
} from '../broker.ts'
import type { MemoryRouter } from './memory-router.ts'
import type { QueuedMessage } from './memory-queue.ts'
import { MemorySubscription, type SubscriptionTerms } from './memory-subscription.ts'
import { replyDestination } from './session-destination.ts'
import { Transactions } from './transactions.ts'
import { UnackedLedger, type Outcome } from './unacked-ledger.ts'

/** AMQP has sixteen bits for it; zero is no limit. */
const MAX_PREFETCH = 65_535
const TEMPORARY_QUEUE = '/temp-queue/'

export interface MemorySessionOptions {
  /** Begins every message id. */
  readonly id: string
  readonly router: MemoryRouter
  readonly sink: BrokerSessionSink
  readonly onClose: (session: MemorySession) => void
}

/** One client's session with the in-process broker. */
export class MemorySession implements BrokerSession {
  readonly #options: MemorySessionOptions
  readonly #subscriptions = new Map<string, MemorySubscription>()
  /** Unsubscribed, but with messages that are not acknowledged. */
  readonly #retired = new Set<MemorySubscription>()
  /** `reply-to` names of this session and the addresses that others answer to. */
  readonly #replyAddresses = new Map<string, string>()
  readonly #transactions: Transactions
  readonly #ledger: UnackedLedger
  #issued = 0
  #isOpen = true
  #sinkHasRoom = true

  constructor(options: MemorySessionOptions) {
    this.#options = options
    const { limits, counters } = options.router
    this.#transactions = new Transactions(limits, counters)
    this.#ledger = new UnackedLedger(limits, counters, () => {
      for (const subscription of this.#subscriptions.values()) subscription.wake()
    })
  }

  async send(message: BrokerSend, _options: { confirm: boolean }): Promise<void> {
    this.#assertOpen()
    const { transaction } = message
    const publish = (body: Uint8Array): void => {
      const headers = this.#withReplyAddress(publishableHeaders(message.headers))
      this.#options.router.send({ destination: message.destination, headers, body })
    }
    if (transaction === undefined) {
      publish(message.body)
    } else {
      const body = ownedBytes(message.body)
      this.#transactions.add(transaction, body.byteLength, () => publish(body))
    }
  }

  async subscribe({ id, destination, ack, headers }: BrokerSubscription): Promise<void> {
    this.#assertOpen()
    if (this.#subscriptions.has(id)) throw new MessageError('conflict', 'the subscription id is in use')
    this.#assertRoomForSubscription()
    const prefetch = prefetchOf(headers)
    const { queue, dispose } = this.#options.router.attach(destination)
    this.#addSubscription({ id, ack, queue, prefetch, dispose })
  }

  async unsubscribe(id: string, _headers: HeaderList): Promise<void> {
    this.#assertOpen()
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined || id.startsWith(TEMPORARY_QUEUE)) {
      throw new MessageError('unknown-subscription', 'no such subscription')
    }
    this.#subscriptions.delete(id)
    subscription.close()
    if (subscription.unackedCount > 0) this.#retired.add(subscription)
  }

  async ack(ackId: string, { transaction }: AckOptions): Promise<void> {
    this.#settle(ackId, 'done', transaction)
  }

  async nack(ackId: string, { transaction, requeue }: AckOptions & { requeue: boolean }): Promise<void> {
    this.#settle(ackId, requeue ? 'requeue' : 'drop', transaction)
  }

  async begin(transaction: string): Promise<void> {
    this.#assertOpen()
    this.#transactions.begin(transaction)
  }

  async commit(transaction: string): Promise<void> {
    this.#assertOpen()
    this.#transactions.commit(transaction)
  }

  async abort(transaction: string): Promise<void> {
    this.#assertOpen()
    this.#transactions.abort(transaction)
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const subscription of [...this.#subscriptions.values(), ...this.#retired]) subscription.end()
    this.#subscriptions.clear()
    this.#retired.clear()
    this.#options.onClose(this)
  }

  /** The broker goes away, and the client is told. */
  async end(error: SessionError): Promise<void> {
    await this.close()
    this.#options.sink.onEnd(error)
  }

  #settle(ackId: string, outcome: Outcome, transaction: string | undefined): void {
    this.#assertOpen()
    const settle = (): void => {
      this.#ledger.settle(ackId, outcome)
    }
    if (transaction === undefined) settle()
    else this.#transactions.add(transaction, 0, settle)
  }

  #addSubscription(terms: SubscriptionTerms): void {
    this.#subscriptions.set(
      terms.id,
      new MemorySubscription({
        ...terms,
        issueId: (subscription, message) => this.#issueId(subscription, message),
        deliver: (subscription, messageId, message) => {
          this.#deliver(subscription, messageId, message)
        },
        sessionHasRoom: () => this.#ledger.hasRoom(),
        sinkHasRoom: () => this.#sinkHasRoom,
      }),
    )
  }

  #issueId(subscription: MemorySubscription, message: QueuedMessage): string {
    this.#issued += 1
    const id = `${this.#options.id}-${this.#issued}`
    if (subscription.ack !== 'auto') this.#ledger.add(id, subscription, message)
    return id
  }

  #deliver(
    subscription: MemorySubscription,
    messageId: string,
    { content, isRedelivered }: QueuedMessage,
  ): void {
    const { destination, headers, body } = content
    this.#options.sink.onMessage({
      subscription: subscription.id,
      destination,
      messageId,
      ...(subscription.ack === 'auto' ? {} : { ackId: messageId }),
      headers: isRedelivered ? ['redelivered', 'true', ...headers] : headers,
      body,
    })
    const room = this.#options.sink.room?.()
    if (room !== undefined) this.#waitFor(room)
  }

  /** The client has to read first: its messages stay in their queues meanwhile. */
  #waitFor(room: Promise<void>): void {
    this.#sinkHasRoom = false
    void room.then(() => {
      this.#sinkHasRoom = true
      for (const subscription of this.#subscriptions.values()) subscription.wake()
    })
  }

  /** `reply-to:/temp-queue/x` becomes an address that any session can SEND to (RabbitMQ's guide, "Temp Queue Destinations"). */
  #withReplyAddress(headers: HeaderList): HeaderList {
    const wanted = header(headers, 'reply-to')
    if (wanted?.startsWith(TEMPORARY_QUEUE) !== true) return headers
    const address = this.#replyAddresses.get(wanted) ?? this.#makeReplyQueue(wanted)
    return headers.map((text, index) =>
      headers[index - 1] === 'reply-to' && index % 2 === 1 ? address : text,
    )
  }

  #makeReplyQueue(wanted: string): string {
    this.#assertRoomForSubscription()
    const { queue, dispose } = this.#options.router.attachReplyQueue()
    this.#addSubscription({ id: wanted, ack: 'auto', queue, prefetch: 1, dispose })
    const address = replyDestination(queue.name)
    this.#replyAddresses.set(wanted, address)
    return address
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new SessionError('broker-session-closed', 'the broker session is closed')
  }

  #assertRoomForSubscription(): void {
    const { limits, counters } = this.#options.router
    if (this.#subscriptions.size + this.#retired.size < limits.sessionSubscriptions) return
    counters.subscriptionsRefused += 1
    throw new MessageError('too-many-subscriptions', 'too many subscriptions')
  }
}

function prefetchOf(headers: HeaderList): number {
  const text = header(headers, 'prefetch-count') ?? '0'
  const count = Number(text)
  if (!/^\d{1,5}$/.test(text) || count > MAX_PREFETCH) {
    throw new MessageError('invalid-header', `prefetch-count must be a number from 0 to ${MAX_PREFETCH}`)
  }
  return count === 0 ? Number.POSITIVE_INFINITY : count
}
