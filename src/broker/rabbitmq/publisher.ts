import type { ConfirmChannel } from 'amqplib'
import { MessageError } from '../../errors.ts'
import type { BrokerMessage } from '../broker.ts'
import { type AmqpConnection, replyCode } from './amqp-connection.ts'
import { DEFAULT_EXCHANGE } from './exchanges.ts'
import { FENCE, type Sender, toOutgoing } from './relay-headers.ts'
import type { RabbitMqCounters } from './rabbitmq-settings.ts'
import type { Pending, SendWindow } from './send-window.ts'

export interface PublisherOptions {
  readonly sender: Sender
  readonly window: SendWindow
  readonly counters: RabbitMqCounters
  /** Time between two probes: see `RabbitMqTimeouts.probeMs`. */
  readonly probeMs: number
  /** Declares a durable queue, on another channel: a refusal would end this one. */
  declareQueue(queue: string): Promise<void>
  /** An exchange is gone: somebody deleted it. */
  onMissingExchange(): void
}

const NOT_FOUND = 404

/** A channel that ends this often with the same message first in line ends because of it. */
const MAX_CHANNEL_ENDS = 3
const MAX_KNOWN_QUEUES = 10_000
/** No queue has this name, so what is sent there reaches nobody. */
const PROBE = 'stomp-relay.probe'
/** What amqplib calls a `basic.nack`. */
const NACKED = 'message nacked'

/**
 * Everything this node publishes, on one confirm channel. What is not confirmed when the link breaks is
 * sent again in order with the sequence numbers it had, and receivers drop what they have seen. AMQP and
 * not STOMP, because a shared STOMP link cannot tell whose frame failed, and fails for all.
 */
export class Publisher {
  readonly #options: PublisherOptions
  #connection: AmqpConnection | undefined
  #channel: ConfirmChannel | undefined
  #sequence = 0
  #probeTimer: NodeJS.Timeout | undefined
  /** Queues that exist as far as this connection knows, and those being declared with what waits for it. */
  readonly #known = new Set<string>()
  readonly #declaring = new Map<string, Pending[]>()

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** Whether a message would be taken now. */
  get isReady(): boolean {
    return this.#channel !== undefined && this.#connection?.isBlocked === false
  }

  /** Resolves when the broker has confirmed. See `Broker.publish`. */
  async publish(message: BrokerMessage, isPatient: boolean): Promise<void> {
    if (!isPatient && !this.isReady) throw new MessageError('broker-unavailable', 'the broker is away')
    const { sender, window } = this.#options
    window.assertRoom(message.body.length)
    const outgoing = toOutgoing(message, sender, () => ++this.#sequence)
    const pending = window.add(outgoing)
    this.#transmit(pending)
    return pending.done.promise
  }

  /**
   * Sends a fence to a queue of this node's own.
   * @returns whether it was sent; where it was not, it will not be
   */
  sendFence(queue: string, fence: string): boolean {
    if (!this.isReady) return false
    const options = { deliveryMode: 1, headers: { [FENCE]: fence } }
    try {
      this.#channel?.publish(DEFAULT_EXCHANGE, queue, Buffer.alloc(0), options)
      return true
    } catch {
      // The channel is closing; its 'close' event follows.
      return false
    }
  }

  /** A new connection: sends what is pending, in order. */
  async attach(connection: AmqpConnection): Promise<void> {
    const channel = await connection.confirmChannel((error) => {
      if (this.#channel === channel) this.#onChannelClosed(error)
    })
    this.#connection = connection
    this.#channel = channel
    for (const pending of this.#options.window.all()) {
      pending.isSent = false
      if (pending.tries > 0) this.#options.counters.resent += 1
      this.#transmit(pending)
    }
    this.#probe()
    this.#probeTimer = setInterval(() => this.#probe(), this.#options.probeMs)
  }

  /** The broker reads again: sends what came meanwhile and still waits, in order. */
  onUnblocked(): void {
    for (const pending of this.#options.window.all()) {
      if (!pending.isSent) this.#transmit(pending)
    }
  }

  /** Queues can be declared again: those that messages wait for. */
  onControlUp(): void {
    for (const [queue, batch] of this.#declaring) this.#declare(queue, batch)
  }

  detach(): void {
    this.#connection = undefined
    this.#channel = undefined
    clearInterval(this.#probeTimer)
    this.#known.clear()
    this.#declaring.clear()
  }

  /** RabbitMQ tells of an alarm only those who publish. */
  #probe(): void {
    if (!this.isReady) return
    try {
      this.#channel?.publish(DEFAULT_EXCHANGE, PROBE, Buffer.alloc(0), { deliveryMode: 1 })
    } catch {
      // The channel is closing; its 'close' event follows.
    }
  }

  #onChannelClosed(error: Error): void {
    const connection = this.#connection
    const { window } = this.#options
    const oldest = window.oldest()
    if (connection?.isOpen === true && oldest !== undefined && oldest.tries >= MAX_CHANNEL_ENDS) {
      window.settle(
        oldest,
        new MessageError('broker-refused', 'the broker refused the message', { cause: error }),
      )
    }
    if (replyCode(error) === NOT_FOUND) this.#options.onMissingExchange()
    this.detach()
    connection?.destroy()
  }

  #transmit(pending: Pending): void {
    const { exchange, key } = pending.message
    if (exchange !== DEFAULT_EXCHANGE || this.#known.has(key)) {
      this.#write(pending)
    } else if (this.#channel !== undefined) {
      this.#writeOnceDeclared(key, pending)
    }
  }

  #writeOnceDeclared(queue: string, pending: Pending): void {
    const waiting = this.#declaring.get(queue)
    if (waiting !== undefined) {
      waiting.push(pending)
      return
    }
    const batch = [pending]
    this.#declaring.set(queue, batch)
    this.#declare(queue, batch)
  }

  #declare(queue: string, batch: readonly Pending[]): void {
    this.#options.declareQueue(queue).then(
      () => this.#onDeclared(queue, batch),
      (error: unknown) => this.#onNotDeclared(queue, batch, error),
    )
  }

  #onDeclared(queue: string, batch: readonly Pending[]): void {
    if (this.#declaring.get(queue) !== batch) return
    this.#declaring.delete(queue)
    if (this.#known.size >= MAX_KNOWN_QUEUES) this.#known.clear()
    this.#known.add(queue)
    for (const each of batch) this.#write(each)
  }

  #onNotDeclared(queue: string, batch: readonly Pending[], error: unknown): void {
    const isRefused = error instanceof MessageError && error.code === 'broker-refused'
    // Otherwise the messages wait for `onControlUp`, within their time.
    if (!isRefused || this.#declaring.get(queue) !== batch) return
    this.#declaring.delete(queue)
    for (const each of batch) this.#options.window.settle(each, error)
  }

  #write(pending: Pending): void {
    const channel = this.#channel
    const { window } = this.#options
    if (channel === undefined || pending.isSent || !window.has(pending)) return
    // The broker would not read it, and what nobody reads would pile up in this process, long after
    // whoever published it was told that it waited in vain.
    if (!this.isReady) return
    const { exchange, key, content, options } = pending.message
    pending.tries += 1
    pending.isSent = true
    try {
      channel.publish(exchange, key, content, options, (error: Error | null) => {
        if (error === null) window.settle(pending)
        // The other error is that the channel closed: then the message is sent again on the next one.
        else if (error.message === NACKED) window.settle(pending, refused(error))
      })
    } catch (error) {
      // A closing channel throws too; then the message waits for the next one.
      if (error instanceof Error && error.name === 'IllegalOperationError') return
      window.settle(
        pending,
        new MessageError('invalid-header', 'the headers cannot be sent', { cause: error }),
      )
    }
  }
}

function refused(cause: Error): MessageError {
  return new MessageError('broker-refused', 'the broker refused the message', { cause })
}
