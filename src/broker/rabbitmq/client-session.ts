import { type Frame, header, type HeaderList } from '../../../protocol/frame.ts'
import type { BrokerUrl } from '../../config/broker-url.ts'
import { MessageError, type SessionError } from '../../errors.ts'
import type {
  AckOptions,
  BrokerSend,
  BrokerSession,
  BrokerSessionSink,
  BrokerSubscription,
} from '../broker.ts'
import type { Alarm } from './alarm.ts'
import { DeclaredQueues } from './declared-queues.ts'
import type { HostOrder } from './host-order.ts'
import type { QueueCheck } from './queue-check.ts'
import type { RabbitMqLimits, RabbitMqTimeouts } from './rabbitmq-settings.ts'
import {
  clientDestination,
  clientHeaders,
  durableId,
  isDurable,
  sendHeaders,
  subscribeHeaders,
} from './session-headers.ts'
import { SessionLedger, type Subscribed } from './session-ledger.ts'
import type { SessionFrame } from './session-job.ts'
import { SessionLink } from './session-link.ts'
import { assertDestination, assertQueueHeaders, assertSendHeaders, prefetchOf } from './session-rules.ts'
import { SessionTransactions } from './session-transactions.ts'

export interface ClientSessionOptions {
  readonly url: BrokerUrl
  /** Those of the URL. */
  readonly hosts: HostOrder
  readonly user: string
  readonly sink: BrokerSessionSink
  readonly timeouts: RabbitMqTimeouts
  readonly limits: RabbitMqLimits
  readonly alarm: Alarm
  readonly queueCheck: QueueCheck
  /** The session is over, whoever ended it. */
  onOver(): void
}

/** RabbitMQ gives a reply queue a subscription of this name, which nobody asked for by SUBSCRIBE. */
const TEMPORARY_QUEUE = '/temp-queue/'

/**
 * One client's own STOMP session with RabbitMQ. Subscription and message ids are ours on the way there:
 * RabbitMQ puts a client's into ack ids without escaping them, and durable ones into queue names.
 */
export class ClientSession implements BrokerSession {
  readonly #options: ClientSessionOptions
  readonly #link: SessionLink
  readonly #ledger = new SessionLedger()
  readonly #byClientId = new Map<string, Subscribed>()
  readonly #byBrokerId = new Map<string, Subscribed>()
  readonly #transactions = new SessionTransactions()
  readonly #queues: DeclaredQueues
  #numbers = 0

  constructor(options: ClientSessionOptions) {
    this.#options = options
    const { url, hosts, timeouts, limits, alarm, sink, queueCheck: check } = options
    this.#queues = new DeclaredQueues({
      check,
      believedMs: timeouts.queueBelievedMs,
      max: limits.sessionPending,
    })
    this.#link = new SessionLink({
      url,
      hosts,
      timeouts,
      limits,
      alarm,
      onMessage: (frame) => this.#onMessage(frame),
      onCancelled: (brokerId, reason) => this.#onCancelled(brokerId, reason),
      onEnd: (error) => {
        this.#forget()
        sink.onEnd(error)
      },
    })
  }

  /** @throws MessageError `broker-unavailable` */
  async open(): Promise<void> {
    try {
      await this.#link.open()
    } catch (error) {
      this.#forget()
      throw error
    }
  }

  async send(message: BrokerSend, options: { confirm: boolean }): Promise<void> {
    const { destination, transaction, body } = message
    assertDestination(destination)
    assertSendHeaders(message.headers)
    const headers = ['destination', destination, ...sendHeaders(message.headers)]
    const before = this.#queues.before(destination, message.headers, { isSure: false })
    if (transaction === undefined) {
      const frame: SessionFrame = { command: 'SEND', headers, body }
      await this.#link.request([frame], { isAnswered: options.confirm, before })
      return
    }
    // The broker acts at COMMIT and answers then.
    const { receipts } = this.#transactions.get(transaction)
    const receipt = `t-${++this.#numbers}`
    const all = [...headers, 'transaction', transaction, 'receipt', receipt]
    const frame: SessionFrame = { command: 'SEND', headers: all, body }
    receipts.push(receipt)
    try {
      await this.#link.request([frame], { isAnswered: false, isOfTransaction: true, before })
    } catch (error) {
      // COMMIT must not wait for what was not taken.
      receipts.splice(receipts.indexOf(receipt), 1)
      throw error
    }
  }

  async subscribe(subscription: BrokerSubscription): Promise<void> {
    const { id, destination, ack, headers } = subscription
    assertDestination(destination)
    if (this.#byClientId.has(id)) throw new MessageError('conflict', 'the subscription id is in use')
    if (this.#byClientId.size >= this.#options.limits.sessionPending) {
      throw new MessageError('too-many-subscriptions', 'too many subscriptions')
    }
    assertQueueHeaders(headers)
    const prefetch = prefetchOf(headers, this.#options.limits.sessionUnacked)
    const brokerId = isDurable(headers) ? durableId(this.#options.user, id) : `s-${++this.#numbers}`
    const unacked = new Map<string, string>()
    const subscribed = { clientId: id, brokerId, destination, ack, unacked, isOpen: true }
    this.#byClientId.set(id, subscribed)
    this.#byBrokerId.set(brokerId, subscribed)
    const own = {
      id: brokerId,
      destination,
      ack: ack === 'auto' ? 'auto' : 'client-individual',
      'prefetch-count': String(prefetch),
    }
    const all = [...Object.entries(own).flat(), ...subscribeHeaders(headers)]
    const frame: SessionFrame = { command: 'SUBSCRIBE', headers: all }
    const before = this.#queues.before(destination, headers, { isSure: true })
    try {
      await this.#link.request([frame], { isAnswered: true, before })
    } catch (error) {
      this.#remove(subscribed)
      throw error
    }
  }

  async unsubscribe(id: string, headers: HeaderList): Promise<void> {
    const subscribed = this.#byClientId.get(id)
    const durable = isDurable(headers)
    if (subscribed === undefined && !durable) {
      throw new MessageError('unknown-subscription', 'no such subscription')
    }
    const brokerId = subscribed?.brokerId ?? durableId(this.#options.user, id)
    if (subscribed !== undefined) {
      this.#byClientId.delete(id)
      this.#ledger.retire(subscribed)
      this.#queues.doubt(subscribed.destination)
    }
    const frame: SessionFrame = {
      command: 'UNSUBSCRIBE',
      headers: ['id', brokerId, ...subscribeHeaders(headers)],
    }
    await this.#link.request([frame], { isAnswered: true })
    if (subscribed !== undefined) this.#remove(subscribed)
  }

  async ack(ackId: string, { transaction }: AckOptions): Promise<void> {
    await this.#settle('ACK', ackId, transaction, [])
  }

  async nack(ackId: string, { transaction, requeue }: AckOptions & { requeue: boolean }): Promise<void> {
    await this.#settle('NACK', ackId, transaction, ['requeue', String(requeue)])
  }

  async begin(transaction: string): Promise<void> {
    this.#transactions.begin(transaction)
    await this.#link.request([{ command: 'BEGIN', headers: ['transaction', transaction] }], {
      isAnswered: true,
    })
  }

  async commit(transaction: string): Promise<void> {
    const { receipts } = this.#transactions.take(transaction)
    // RabbitMQ gives the RECEIPT of COMMIT before it knows what becomes of the SENDs.
    await this.#link.request([{ command: 'COMMIT', headers: ['transaction', transaction] }], {
      isAnswered: true,
      alsoAwaits: receipts,
    })
  }

  async abort(transaction: string): Promise<void> {
    const { undos } = this.#transactions.take(transaction)
    for (const undo of undos.toReversed()) undo()
    await this.#link.request([{ command: 'ABORT', headers: ['transaction', transaction] }], {
      isAnswered: true,
    })
  }

  async close(): Promise<void> {
    await this.#link.close()
    this.#forget()
  }

  /** The node closes: the client is told, and nothing is waited for. */
  end(error: SessionError): void {
    this.#link.end(error)
  }

  async #settle(
    command: 'ACK' | 'NACK',
    ackId: string,
    name: string | undefined,
    extra: readonly string[],
  ): Promise<void> {
    const transaction = name === undefined ? undefined : this.#transactions.get(name)
    const { brokerIds, undo } = this.#ledger.take(ackId)
    transaction?.undos.push(undo)
    const within = name === undefined ? [] : ['transaction', name]
    const frames = brokerIds.map((id): SessionFrame => {
      return { command, headers: ['id', id, ...extra, ...within] }
    })
    await this.#link.request(frames, { isAnswered: transaction === undefined })
  }

  #onMessage(frame: Frame): void {
    const { headers, body } = frame
    const brokerId = header(headers, 'subscription') ?? ''
    const subscribed = this.#byBrokerId.get(brokerId) ?? this.#temporary(brokerId)
    if (subscribed?.isOpen !== true) return
    const brokerAckId = subscribed.ack === 'auto' ? undefined : header(headers, 'ack')
    const messageId = this.#ledger.issue(subscribed, brokerAckId)
    this.#options.sink.onMessage({
      subscription: subscribed.clientId,
      destination: clientDestination(header(headers, 'destination') ?? ''),
      messageId,
      ...(brokerAckId === undefined ? {} : { ackId: messageId }),
      headers: clientHeaders(headers),
      body,
    })
    const room = this.#options.sink.room?.()
    if (room !== undefined) this.#link.pauseUntil(room)
  }

  #temporary(brokerId: string): Subscribed | undefined {
    if (!brokerId.startsWith(TEMPORARY_QUEUE)) return undefined
    const subscribed: Subscribed = {
      clientId: brokerId,
      brokerId,
      destination: brokerId,
      ack: 'auto',
      unacked: new Map<string, string>(),
      isOpen: true,
    }
    this.#byBrokerId.set(brokerId, subscribed)
    return subscribed
  }

  #onCancelled(brokerId: string, reason: string): void {
    const subscribed = this.#byBrokerId.get(brokerId)
    if (subscribed === undefined) return
    this.#remove(subscribed)
    this.#queues.doubt(subscribed.destination)
    this.#options.sink.onCancelled(subscribed.clientId, reason)
  }

  #remove(subscribed: Subscribed): void {
    this.#ledger.retire(subscribed)
    this.#byBrokerId.delete(subscribed.brokerId)
    if (this.#byClientId.get(subscribed.clientId) === subscribed) this.#byClientId.delete(subscribed.clientId)
  }

  #forget(): void {
    this.#ledger.clear()
    this.#byClientId.clear()
    this.#byBrokerId.clear()
    this.#transactions.clear()
    this.#options.onOver()
  }
}
