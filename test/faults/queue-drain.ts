import { connect } from 'amqplib'
import type { Ear } from './ear.ts'
import type { Stage } from './fault.ts'
import { Hearing } from './hearing.ts'
import type { QueueProducer } from './queue-producer.ts'

export interface QueueDrainOptions {
  readonly amqpUrl: string
  readonly queue: string
  readonly producers: readonly QueueProducer[]
}

/** Takes from a queue past the relay, once it is asked to. What comes no more often than it was sent is not doubled. */
export class QueueDrain implements Ear {
  readonly hearing: Hearing
  readonly speakers: readonly QueueProducer[]
  /** What was sent again may come between. */
  readonly originOf = (message: string): string => message
  readonly #options: QueueDrainOptions
  readonly #times = new Map<string, number>()

  constructor(options: QueueDrainOptions) {
    this.#options = options
    this.speakers = options.producers
    this.hearing = new Hearing('queue, persistent SENDs')
  }

  async begin(stage: Stage): Promise<void> {
    const { amqpUrl, queue } = this.#options
    const connection = await connect(amqpUrl)
    stage.teardown(async () => connection.close())
    const channel = await connection.createChannel()
    await channel.assertQueue(queue, { durable: true })
    await channel.consume(queue, (message) => this.#take(message?.content.toString() ?? ''), { noAck: true })
  }

  #take(message: string): void {
    const times = (this.#times.get(message) ?? 0) + 1
    this.#times.set(message, times)
    const sends = Math.max(0, ...this.speakers.map((producer) => producer.sendsOf(message)))
    if (times === 1 || times > sends) this.hearing.hear(message)
  }
}
