import { connect } from 'amqplib'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { within } from '../../src/lib/within.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

const PATIENCE_MS = 10_000

/**
 * Somebody of no relay who gets what is published to topics from RabbitMQ itself. Subscribers of a relay
 * would not notice that an event was never relayed: their node finds it in the store.
 */
export class Eavesdropper {
  /** Contents, each once. */
  readonly heard = new Set<string>()
  #more: Deferred<void> | undefined

  static async start(t: Teardown, amqpUrl: string): Promise<Eavesdropper> {
    const eavesdropper = new Eavesdropper()
    const connection = await connect(amqpUrl)
    t.teardown(() => connection.close())
    const channel = await connection.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, 'amq.topic', '#')
    await channel.consume(queue, (message) => eavesdropper.#hear(message?.content), { noAck: true })
    return eavesdropper
  }

  /** Resolves when all of these were heard, or after a while. */
  async waitFor(contents: readonly string[]): Promise<void> {
    const wait = async (): Promise<void> => {
      while (contents.some((content) => !this.heard.has(content))) {
        this.#more = deferred()
        await this.#more.promise
      }
    }
    await within(wait(), PATIENCE_MS, () => new Error('silence')).catch(() => undefined)
  }

  #hear(body: Buffer | undefined): void {
    if (body === undefined) return
    this.heard.add((JSON.parse(body.toString()) as { content: string }).content)
    this.#more?.resolve()
  }
}
