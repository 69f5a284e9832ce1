import type { Config } from '../config/config.ts'
import type { Log } from '../telemetry/log.ts'
import type { Broker, BrokerStatus } from './broker.ts'
import { createMemoryBroker } from './memory/memory-broker.ts'
import { createRabbitMqBroker } from './rabbitmq/rabbitmq-broker.ts'

/** RabbitMQ where its URLs are set, or else the one in this process. */
export function createBroker(config: Config, log: Log): Broker & { readonly counters: object } {
  const { stompUrl, amqpUrl, nodeId } = config
  if (stompUrl === undefined || amqpUrl === undefined) return createMemoryBroker({ nodeId })
  return createRabbitMqBroker({ stomp: stompUrl, amqp: amqpUrl, nodeId, log })
}

/** For the log. */
export function brokerState({ isUp, alarm }: BrokerStatus): string {
  if (isUp) return 'broker is up'
  return alarm === undefined ? 'broker is away' : 'broker takes no messages'
}
