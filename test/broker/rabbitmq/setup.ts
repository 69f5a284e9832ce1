import { pino } from 'pino'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'
import type { BrokerReceiver, Delivery } from '../../../src/broker/broker.ts'
import {
  createRabbitMqBroker,
  type RabbitMqBrokerOptions,
  type RabbitMqBrokerWithCounters,
} from '../../../src/broker/rabbitmq/rabbitmq-broker.ts'
import { deferred } from '../../../src/lib/deferred.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** A receiver that keeps what it gets, and tells when it has enough. */
export class Received implements BrokerReceiver {
  readonly deliveries: Delivery[] = []
  readonly holes: string[] = []
  #watchers: (() => void)[] = []

  onMessage(delivery: Delivery): void {
    this.deliveries.push(delivery)
    this.#wake()
  }

  onHole(reason: string): void {
    this.holes.push(reason)
    this.#wake()
  }

  get bodies(): string[] {
    return this.deliveries.map(({ body }) => new TextDecoder().decode(body))
  }

  /** Resolves as soon as the condition holds. */
  async until(condition: (received: Received) => boolean): Promise<void> {
    while (!condition(this)) {
      const change = deferred()
      this.#watchers.push(() => change.resolve())
      await change.promise
    }
  }

  async count(count: number): Promise<void> {
    await this.until(({ deliveries }) => deliveries.length >= count)
  }

  #wake(): void {
    for (const wake of this.#watchers.splice(0)) wake()
  }
}

export interface StartedBroker {
  readonly broker: RabbitMqBrokerWithCounters
  readonly received: Received
}

/** A started broker over these URLs, closed at the end. */
export async function useBroker(
  t: Teardown,
  urls: { readonly stompUrl: string; readonly amqpUrl: string },
  options: Partial<RabbitMqBrokerOptions> = {},
): Promise<StartedBroker> {
  const received = new Received()
  const broker = createRabbitMqBroker({
    stomp: parseBrokerUrl(urls.stompUrl, 'stomp', 61613),
    amqp: parseBrokerUrl(urls.amqpUrl, 'amqp', 5672),
    nodeId: 'test',
    log: pino({ level: 'silent' }),
    ...options,
  })
  t.teardown(async () => broker.close())
  await broker.start(received)
  return { broker, received }
}

/** Resolves when all links are up. */
export async function untilUp(broker: RabbitMqBrokerWithCounters): Promise<void> {
  await untilStatus(broker, (isUp) => isUp)
}

export async function untilStatus(
  broker: RabbitMqBrokerWithCounters,
  condition: (isUp: boolean) => boolean,
): Promise<void> {
  if (condition(broker.status().isUp)) return
  const reached = deferred()
  const stop = broker.onStatus(({ isUp }) => {
    if (condition(isUp)) reached.resolve()
  })
  await reached.promise
  stop()
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
