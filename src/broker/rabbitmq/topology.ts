import type { Channel } from 'amqplib'
import { MessageError } from '../../errors.ts'
import { deferred } from '../../lib/deferred.ts'
import { AbandonedInboxes } from './abandoned-inboxes.ts'
import { type AmqpConnection, closeChannel, replyCode } from './amqp-connection.ts'
import type { Bindings } from './bindings.ts'
import { OUTSIDE_TOPICS, PRIVATE_EXCHANGE, TOPIC_EXCHANGE, USER_EXCHANGE } from './exchanges.ts'

export interface TopologyOptions {
  readonly bindings: Bindings
  /** `stomp-relay.inbox.NODE.BOOT`; the generation is appended. */
  readonly inboxPrefix: string
  readonly inboxExpiresMs: number
  readonly inboxMessages: number
  readonly inboxBytes: number
  /** The inbox overflowed: messages are gone. */
  onLost(): void
  /** The channel ended while its connection lives: the inbox is not what it should be. */
  onBroken(error: Error): void
}

const NOT_FOUND = 404
const PRECONDITION_FAILED = 406

/**
 * Exchanges, inbox and bindings, over a connection that never publishes: under a memory alarm RabbitMQ
 * stops reading those that do.
 */
export class Topology {
  readonly #options: TopologyOptions
  readonly #abandoned = new AbandonedInboxes()
  #generation = 1
  #connection: AmqpConnection | undefined
  #channel: Channel | undefined
  /** Counts builds: only the last may bind, and be the one that is ready. */
  #builds = 0

  constructor(options: TopologyOptions) {
    this.#options = options
  }

  /** The queue of the current generation. */
  get inbox(): string {
    return `${this.#options.inboxPrefix}.${this.#generation}`
  }

  get isReady(): boolean {
    return this.#channel !== undefined
  }

  /** Declares and binds everything over a new connection. The inbox may have another name afterwards. */
  async attach(connection: AmqpConnection): Promise<void> {
    this.#connection = connection
    this.#abandoned.attach(connection)
    try {
      await this.#build(connection)
    } catch (error) {
      // On a cluster: the node that keeps the inbox is down, and nobody knows for how long.
      if (replyCode(error) !== NOT_FOUND || !connection.isOpen) throw error
      this.#abandon()
      await this.#build(connection)
    }
  }

  detach(): void {
    this.#builds += 1
    this.#connection = undefined
    this.#channel = undefined
    this.#abandoned.detach()
    this.#options.bindings.detach()
  }

  /** Gives the inbox a new name and binds everything to it. */
  async renew(): Promise<void> {
    this.#abandon()
    const connection = this.#connection
    if (connection === undefined) return
    const old = this.#channel
    this.#channel = undefined
    this.#options.bindings.detach()
    // What is under way on it may be refused, now that its inbox is gone, and matters no more.
    if (old !== undefined) void closeChannel(old)
    await this.#build(connection)
  }

  /**
   * Declares a durable queue, or takes the one of that name as it is: without arguments, as every plain SEND
   * to it does, or replicated, which is a quorum queue.
   *
   * @throws MessageError `broker-refused`, `broker-unavailable`
   */
  async declareQueue(queue: string, { isReplicated = false } = {}): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) throw new MessageError('broker-unavailable', 'the broker is away')
    // A channel of its own: a refusal ends the channel it is said on.
    const channel = await connection.channel(() => undefined)
    try {
      await channel.assertQueue(queue, {
        durable: true,
        arguments: isReplicated ? { 'x-queue-type': 'quorum' } : {},
      })
      await closeChannel(channel)
    } catch (error) {
      const code = replyCode(error)
      if (code === PRECONDITION_FAILED) return
      const fault = code === undefined ? 'broker-unavailable' : 'broker-refused'
      throw new MessageError(fault, `the queue could not be declared`, { cause: error })
    }
  }

  /** Removes the inbox, so that nothing of this node stays behind. */
  async remove(): Promise<void> {
    const channel = this.#channel
    this.#channel = undefined
    if (channel === undefined) return
    await channel.deleteQueue(this.inbox)
    await channel.deleteQueue(lostQueueOf(this.inbox))
  }

  #abandon(): void {
    this.#abandoned.add(this.inbox, lostQueueOf(this.inbox))
    this.#generation += 1
  }

  async #build(connection: AmqpConnection): Promise<void> {
    const { inbox } = this
    const build = ++this.#builds
    const over = deferred()
    over.promise.catch(() => undefined)
    const onBroken = (error: Error): void => {
      over.reject(error)
      if (this.#channel !== channel) return
      this.#channel = undefined
      if (connection.isOpen) this.#options.onBroken(error)
    }
    const channel = await connection.channel(onBroken)
    await declareExchanges(channel)
    await this.#declareInbox(channel, inbox, onBroken)
    if (build === this.#builds) {
      // Without the channel the bindings wait for another one, which is built only when this build has failed.
      await Promise.race([this.#options.bindings.attach(channel, inbox), over.promise])
    }
    // The inbox got another name meanwhile, or the connection broke, and that is built elsewhere.
    if (build === this.#builds) this.#channel = channel
    else channel.close().catch(() => undefined)
  }

  async #declareInbox(channel: Channel, inbox: string, onBroken: (error: Error) => void): Promise<void> {
    const { inboxExpiresMs, inboxMessages, inboxBytes } = this.#options
    const lost = lostQueueOf(inbox)
    await channel.assertQueue(lost, {
      durable: true,
      arguments: { 'x-queue-type': 'classic', 'x-max-length': 1, 'x-expires': inboxExpiresMs },
    })
    await channel.assertQueue(inbox, {
      durable: true,
      arguments: {
        'x-queue-type': 'classic',
        'x-single-active-consumer': true,
        'x-expires': inboxExpiresMs,
        'x-max-length': inboxMessages,
        'x-max-length-bytes': inboxBytes,
        'x-overflow': 'drop-head',
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': lost,
      },
    })
    const onVictim = (message: unknown): void => {
      if (message !== null) this.#options.onLost()
      // It is kept where the inbox is, so that is gone too, or as good as gone without it.
      else {
        onBroken(new Error('the queue for what is lost is gone'))
        channel.close().catch(() => undefined)
      }
    }
    await channel.consume(lost, onVictim, { noAck: true })
  }
}

function lostQueueOf(inbox: string): string {
  return `${inbox}.lost`
}

async function declareExchanges(channel: Channel): Promise<void> {
  const options = { durable: false }
  await channel.assertExchange(TOPIC_EXCHANGE, 'topic', options)
  await channel.assertExchange(PRIVATE_EXCHANGE, 'direct', options)
  await channel.assertExchange(USER_EXCHANGE, 'direct', options)
  await channel.bindExchange(TOPIC_EXCHANGE, OUTSIDE_TOPICS, '#')
}
