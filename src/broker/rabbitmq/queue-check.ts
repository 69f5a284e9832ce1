import type { Channel, Options } from 'amqplib'
import { within } from '../../lib/within.ts'
import { type AmqpConnection, replyCode } from './amqp-connection.ts'

export interface QueueCheckOptions {
  /** The one that declares, while there is one. */
  readonly connection: () => AmqpConnection | undefined
  readonly answerMs: number
}

const NOT_FOUND = 404
/** Beyond it the client is served as RabbitMQ would serve it. */
const MAX_WAITING = 1_000

/** Declares queues of clients anew that RabbitMQ's STOMP plugin believes it has declared. */
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
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting += 1
    this.#last = this.#after(this.#last, queue, shape)
    await within(this.#last, this.#options.answerMs, late).catch(() => undefined)
  }

  async #after(last: Promise<void>, queue: string, shape: Options.AssertQueue): Promise<void> {
    await last
    try {
      if (await this.#isMissing(queue)) await (await this.#open()).assertQueue(queue, shape)
    } catch {
      this.#channel = undefined
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
