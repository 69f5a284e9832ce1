import type { Channel, Options } from 'amqplib'
import { within } from '../../lib/within.ts'
import { type AmqpConnection, replyCode } from './amqp-connection.ts'

export interface QueueCheckOptions {
  /** The one that declares, while there is one. */
  readonly connection: () => AmqpConnection | undefined
  readonly answerMs: number
}

const NOT_FOUND = 404
/** What a refusal said about another queue on the same channel is no answer. */
const TRIES = 3

/** Declares queues of clients anew that RabbitMQ's STOMP plugin believes it has declared. */
export class QueueCheck {
  readonly #options: QueueCheckOptions
  #connection: AmqpConnection | undefined
  #channel: Promise<Channel> | undefined

  constructor(options: QueueCheckOptions) {
    this.#options = options
  }

  /**
   * Declares the queue if there is none of that name; one that is there is left as it is. Never rejects:
   * where it cannot be found out, the client is served as RabbitMQ would serve it.
   */
  async ensure(queue: string, shape: Options.AssertQueue): Promise<void> {
    await within(this.#ensure(queue, shape), this.#options.answerMs, late).catch(() => undefined)
  }

  async #ensure(queue: string, shape: Options.AssertQueue): Promise<void> {
    if (await this.#isMissing(queue)) await (await this.#open()).assertQueue(queue, shape)
  }

  async #isMissing(queue: string): Promise<boolean> {
    for (let i = 0; i < TRIES; i++) {
      const channel = await this.#open()
      try {
        await channel.checkQueue(queue)
        return false
      } catch (error) {
        const code = replyCode(error)
        // Each refusal ends the channel it is said on.
        this.#channel = undefined
        if (code !== undefined) return code === NOT_FOUND
      }
    }
    return false
  }

  async #open(): Promise<Channel> {
    const connection = this.#options.connection()
    if (connection === undefined) throw new Error('the broker is away')
    if (this.#channel === undefined || this.#connection !== connection) {
      this.#connection = connection
      this.#channel = connection.channel(() => undefined)
    }
    return this.#channel
  }
}

function late(): Error {
  return new Error('no answer in time')
}
