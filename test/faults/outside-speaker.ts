import { connect, type ConfirmChannel } from 'amqplib'
import type { Stage } from './fault.ts'
import { Speaker } from './speaker.ts'

export interface OutsideRoute {
  readonly name: string
  readonly exchange: string
  readonly key: string
  /** What it publishes as this message. Default the message itself. */
  readonly bodyOf?: (message: string) => string
}

/** A service that knows nothing of the relay and publishes to RabbitMQ itself, over AMQP with confirms. */
export class OutsideSpeaker extends Speaker {
  readonly #channel: ConfirmChannel
  readonly #route: OutsideRoute

  private constructor(channel: ConfirmChannel, route: OutsideRoute) {
    super(route.name)
    this.#channel = channel
    this.#route = route
  }

  /** To the default exchange: declares the queue too, durable and without arguments. */
  static async start(stage: Stage, amqpUrl: string, route: OutsideRoute): Promise<OutsideSpeaker> {
    const connection = await connect(amqpUrl)
    stage.teardown(async () => connection.close())
    const channel = await connection.createConfirmChannel()
    if (route.exchange === '') await channel.assertQueue(route.key, { durable: true })
    return new OutsideSpeaker(channel, route)
  }

  protected override publish(message: string): void {
    const { exchange, key, bodyOf } = this.#route
    const body = Buffer.from(bodyOf?.(message) ?? message)
    this.#channel.publish(exchange, key, body, { persistent: true }, (error) => {
      if (error === null) this.told(message)
      else this.failed('RabbitMQ has refused it')
    })
  }
}
