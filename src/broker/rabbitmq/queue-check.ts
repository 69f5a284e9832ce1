import type { Channel, Options } from 'amqplib'
import { MessageError } from '../../errors.ts'
import { within } from '../../lib/within.ts'
import type { QueueDepth } from '../broker.ts'
import { type AmqpConnection, replyCode } from './amqp-connection.ts'

export interface QueueCheckOptions {
  /** The one that declares, while there is one. */
  readonly connection: () => AmqpConnection | undefined
  readonly answerMs: number
}

const NOT_FOUND = 404
/** Beyond it the client is served as RabbitMQ would serve it. */
const MAX_WAITING = 1_000

/** RabbitMQ keeps it for the connection that declared it. */
const RESOURCE_LOCKED = 405

/** Asks for queues, and declares those of clients anew that RabbitMQ's STOMP plugin believes it has declared. */
export class QueueCheck {
  readonly #options: QueueCheckOptions
  #connection: AmqpConnection | undefined
  #channel: Channel | undefined
  /** One after the other: a refusal ends the channel, whoever else waits on it. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(options: QueueCheckOptions) {
    this.#options = options
  }

  /**
   * Declares the queue if there is none of that name; one that is there is left as it is. Never rejects:
   * where it cannot be found out, the client is served as RabbitMQ would serve it.
   */
  async ensure(queue: string, shape: Options.AssertQueue): Promise<void> {
    const declare = async (): Promise<void> => {
      if (await this.#isMissing(queue)) await (await this.#open()).assertQueue(queue, shape)
    }
    await this.#inTurn(declare).catch(() => undefined)
  }

  /** As `Broker.queueDepth`. */
  async depth(queue: string): Promise<QueueDepth | null> {
    try {
      return await this.#inTurn(() => this.#depth(queue))
    } catch (cause) {
      throw new MessageError('broker-unavailable', 'the broker does not say how much waits', { cause })
    }
  }

  async #depth(queue: string): Promise<QueueDepth | null> {
    try {
      const { messageCount, consumerCount } = await (await this.#open()).checkQueue(queue)
      return { messages: messageCount, consumers: consumerCount }
    } catch (error) {
      const code = replyCode(error)
      if (code !== NOT_FOUND && code !== RESOURCE_LOCKED) throw error
      this.#channel = undefined
      return null
    }
  }

  async #inTurn<R>(task: () => Promise<R>): Promise<R> {
    if (this.#waiting >= MAX_WAITING) throw new Error('too many ask already')
    this.#waiting += 1
    const asked = this.#after(this.#last, task)
    this.#last = asked.then(
      () => undefined,
      () => undefined,
    )
    return within(asked, this.#options.answerMs, late)
  }

  async #after<R>(last: Promise<void>, task: () => Promise<R>): Promise<R> {
    await last
    try {
      return await task()
    } catch (error) {
      this.#channel = undefined
      throw error
    } finally {
      this.#waiting -= 1
    }
  }

  /** Whatever else is said against the name: there is such a queue, or the client hears of it. */
  async #isMissing(queue: string): Promise<boolean> {
    const channel = await this.#open()
    try {
      await channel.checkQueue(queue)
      return false
    } catch (error) {
      this.#channel = undefined
      return replyCode(error) === NOT_FOUND
    }
  }

  async #open(): Promise<Channel> {
    const connection = this.#options.connection()
    if (connection === undefined) throw new Error('the broker is away')
    if (this.#channel === undefined || this.#connection !== connection) {
      this.#connection = connection
      this.#channel = await connection.channel(() => undefined)
    }
    return this.#channel
  }
}

function late(): Error {
  return new Error('no answer in time')
}
