import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createRabbitMqBroker } from '../../src/broker/rabbitmq/rabbitmq-broker.ts'
import { parseBrokerUrl } from '../../src/config/broker-url.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { brokerContract } from './contract.ts'

t.setTimeout(300_000)

const rabbitMq = await useRabbitMq(t)
const stomp = parseBrokerUrl(rabbitMq.stompUrl, 'stomp', 61613)
const amqp = parseBrokerUrl(rabbitMq.amqpUrl, 'amqp', 5672)

function createNode() {
  const nodeId = `node-${randomUUID().slice(0, 8)}`
  const log = createLog({ level: 'silent', nodeId })
  return { broker: createRabbitMqBroker({ stomp, amqp, nodeId, log, timeouts: { redeliveryMs: 5 } }), nodeId }
}

await brokerContract(t, 'RabbitMQ', async () => ({
  ...createNode(),
  secondNode: async () => createNode(),
}))
