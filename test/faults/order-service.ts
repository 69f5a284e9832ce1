import { header, type Frame } from '../../protocol/frame.ts'
import { StompConnection } from '../../src/broker/rabbitmq/stomp-connection.ts'
import { parseBrokerUrl, type BrokerUrl } from '../../src/config/broker-url.ts'
import type { Stage } from './fault.ts'
import { Speaker } from './speaker.ts'

const TIMEOUTS = { connectTimeoutMs: 30_000, heartBeatMs: 10_000 }

export interface OrderServiceParts {
  readonly name: string
  readonly stompUrl: string
  readonly bodyOf: (message: string) => string
}

/**
 * A service that publishes orders over STOMP to RabbitMQ itself, as it would to any queue. When its
 * connection breaks it sends again what had no RECEIPT, so that RabbitMQ may have an order twice.
 */
export class OrderService extends Speaker {
  readonly #url: BrokerUrl
  readonly #bodyOf: (message: string) => string
  #connection: StompConnection | undefined
  #isOver = false

  private constructor({ name, stompUrl, bodyOf }: OrderServiceParts) {
    super(name)
    this.#url = parseBrokerUrl(stompUrl, 'stomp', 61613)
    this.#bodyOf = bodyOf
  }

  static async start(stage: Stage, parts: OrderServiceParts): Promise<OrderService> {
    const service = new OrderService(parts)
    stage.teardown(async () => service.#end())
    await service.#connect()
    return service
  }

  protected override publish(message: string): void {
    const headers = ['destination', '/queue/user', 'persistent', 'true', 'receipt', message]
    // Where it is not connected, or not any more, it is sent later.
    this.#connection?.send('SEND', headers, Buffer.from(this.#bodyOf(message)))
  }

  async #connect(): Promise<void> {
    const onFrame = (frame: Frame): void => {
      if (frame.command === 'RECEIPT') this.told(header(frame.headers, 'receipt-id') ?? '')
      else this.failed(`${frame.command}: ${header(frame.headers, 'message') ?? ''}`)
    }
    const options = { ...TIMEOUTS, url: this.#url, onFrame }
    const connection = await StompConnection.open(this.#url.hosts[0]!, options, new AbortController().signal)
    this.#connection = connection
    for (const message of this.untold) this.publish(message)
    void connection.closed.then(() => this.#onClose())
  }

  #onClose(): void {
    if (!this.#isOver) this.#connect().catch((error: unknown) => this.failed(String(error)))
  }

  #end(): void {
    this.#isOver = true
    this.#connection?.destroy()
  }
}
