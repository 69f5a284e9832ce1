import { connect } from 'amqplib'
import t from 'tap'
import { DEAD_LETTER_QUEUE, ORDER_QUEUE } from '../../src/app/orders/order-intake.ts'
import type { BrokerUrls } from '../../rabbitmq/private-node.ts'
import { useRabbitMqCluster, type TestCluster } from '../support/rabbitmq-cluster.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'
import { checkFault } from './check-fault.ts'
import { CLUSTER_HANG } from './cluster-hang.ts'
import { CLUSTER_HOME_KILLED } from './cluster-home-killed.ts'
import { CLUSTER_PARTITION } from './cluster-partition.ts'
import { CLUSTER_PUBLISHER_KILLED } from './cluster-publisher-killed.ts'

// Two nodes of the relay on one cluster of three, of which one is killed, cut off or stopped while the other
// two go on. What this cannot show is two lost at once: then the third pauses and RabbitMQ is away.
t.setTimeout(600_000)

for (const fault of [CLUSTER_HOME_KILLED, CLUSTER_PUBLISHER_KILLED, CLUSTER_PARTITION, CLUSTER_HANG]) {
  await checkFault(t, fault)
}

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** The type of each queue that has a message, by its name. */
async function typesOfFilled({ cluster, vhost }: TestCluster): Promise<ReadonlyMap<string, string>> {
  const columns = ['name', 'type', 'messages', '--no-table-headers']
  const lines = (await cluster.nodes[0]!.ctl('list_queues', '-p', vhost, ...columns)).split('\n')
  const rows = lines.map((line) => line.split('\t')).filter(([, , messages]) => Number(messages) > 0)
  return new Map(rows.map(([name = '', type = '']) => [name, type]))
}

/** Of a node with these URLs, where a dead letter is kept. */
async function typeOfDeadLetters(
  t: Teardown,
  test: TestCluster,
  urls: BrokerUrls,
): Promise<string | undefined> {
  const { stompUrl, amqpUrl } = urls
  const relay = await useRelay(t, { RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl })
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.ask('SEND', ['destination', `/queue/${ORDER_QUEUE}`], 'no order at all')
  await until(async () => (await typesOfFilled(test)).has(DEAD_LETTER_QUEUE))
  return (await typesOfFilled(test)).get(DEAD_LETTER_QUEUE)
}

await t.test('dead letters are kept on several nodes where the URL names several', async (t) => {
  const test = await useRabbitMqCluster(t)
  t.equal(await typeOfDeadLetters(t, test, test.cluster.urls(0, test.vhost)), 'quorum')
})

await t.test('dead letters go into the queue that is there, whatever it is', async (t) => {
  const test = await useRabbitMqCluster(t)
  const connection = await connect(test.cluster.nodes[0]!.amqpUrl.replace('%2F', test.vhost))
  t.teardown(() => connection.close())
  const channel = await connection.createChannel()
  await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true })
  t.equal(await typeOfDeadLetters(t, test, test.cluster.urls(0, test.vhost)), 'classic')
})
