import { type AmqpConnection, closeChannel } from './amqp-connection.ts'

const SWEEP_MS = 10_000
/** What is beyond that expires by itself. */
const MAX_REMEMBERED = 16

/**
 * Inboxes that were given up for a newer one because the cluster's node that keeps them was down. When it
 * comes back they are back too, with their bindings, and would gather everything once more until they
 * expire. Nothing tells of that moment, so it is tried now and then to delete them.
 */
export class AbandonedInboxes {
  readonly #queues = new Set<string>()
  #connection: AmqpConnection | undefined
  #timer: NodeJS.Timeout | undefined

  add(...queues: readonly string[]): void {
    for (const queue of queues) {
      if (this.#queues.size < MAX_REMEMBERED) this.#queues.add(queue)
    }
    this.#arm()
  }

  attach(connection: AmqpConnection): void {
    this.#connection = connection
    this.#arm()
  }

  detach(): void {
    this.#connection = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    if (this.#connection === undefined || this.#queues.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#sweep().finally(() => this.#arm())
    }, SWEEP_MS).unref()
  }

  async #sweep(): Promise<void> {
    const connection = this.#connection
    for (const queue of this.#queues) {
      // What one node keeps is down together, and RabbitMQ logs each try.
      if (connection?.isOpen !== true || !(await isDeleted(connection, queue))) return
      this.#queues.delete(queue)
    }
  }
}

/** Also where there is none. As long as the queue's node is down, RabbitMQ says not_found and ends the channel. */
async function isDeleted(connection: AmqpConnection, queue: string): Promise<boolean> {
  try {
    const channel = await connection.channel(() => undefined)
    await channel.deleteQueue(queue)
    await closeChannel(channel)
    return true
  } catch {
    return false
  }
}
