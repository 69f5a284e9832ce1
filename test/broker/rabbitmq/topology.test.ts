import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { AmqpConnection, closeChannel } from '../../../src/broker/rabbitmq/amqp-connection.ts'
import { Bindings } from '../../../src/broker/rabbitmq/bindings.ts'
import { TOPIC_EXCHANGE } from '../../../src/broker/rabbitmq/exchanges.ts'
import { Topology } from '../../../src/broker/rabbitmq/topology.ts'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { useTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'

const rabbit = await useRabbitMq(t)

const brokerUrl = parseBrokerUrl(rabbit.amqpUrl, 'amqp', 5672)

async function useConnection(t: Test, url = brokerUrl): Promise<AmqpConnection> {
  const options = { url, name: 'test', connectTimeoutMs: 10_000, heartBeatMs: 10_000 }
  const connection = await AmqpConnection.open(url.hosts[0]!, options, new AbortController().signal)
  t.teardown(() => connection.destroy())
  return connection
}

function bindings(): Bindings {
  return new Bindings({ maxBindings: 10, maxLingering: 10, lingerMs: 1_000 })
}

function topologyOf(bound: Bindings): Topology {
  return new Topology({
    bindings: bound,
    inboxPrefix: `stomp-relay.inbox.test.${randomUUID()}`,
    inboxExpiresMs: 60_000,
    inboxMessages: 10,
    inboxBytes: 10_000,
    onLost: () => undefined,
    onBroken: () => undefined,
  })
}

/** Resolves when what is published under the key has come to the queue. Rejects if it never does. */
async function untilItGets(connection: AmqpConnection, queue: string, key: string): Promise<void> {
  const channel = await connection.channel(() => undefined)
  channel.publish(TOPIC_EXCHANGE, key, Buffer.from('a'))
  await until(async () => (await channel.get(queue, { noAck: true })) !== false)
  await channel.close()
}

await t.test('an inbox that gets another name while it is built is built under that name', async (t) => {
  const bound = bindings()
  const topology = topologyOf(bound)
  const connection = await useConnection(t)
  t.teardown(() => topology.remove())
  const key = `renewed.${randomUUID()}`
  const inForce = bound.acquire({ exchange: TOPIC_EXCHANGE, key })
  const first = topology.inbox
  const attaching = topology.attach(connection)
  await Promise.all([attaching, topology.renew(), inForce])
  t.not(topology.inbox, first)
  t.ok(topology.isReady)
  await untilItGets(connection, topology.inbox, key)
})

await t.test('what a broken connection had begun is not taken for what the next one built', async (t) => {
  const topology = topologyOf(bindings())
  const attaching = topology.attach(await useConnection(t))
  topology.detach()
  await attaching
  t.notOk(topology.isReady)
  const connection = await useConnection(t)
  t.teardown(() => topology.remove())
  await topology.attach(connection)
  t.ok(topology.isReady)
})

await t.test('a binding that is given back while the channel is gone holds nobody up', async (t) => {
  const bound = bindings()
  const connection = await useConnection(t)
  const channel = await connection.channel(() => undefined)
  const { queue } = await channel.assertQueue('', { exclusive: true })
  const route = { exchange: TOPIC_EXCHANGE, key: `released.${randomUUID()}` }
  const inForce = bound.acquire(route)
  const attaching = bound.attach(channel, queue)
  bound.detach()
  bound.release(route)
  await Promise.all([inForce, attaching])
  t.pass('both are settled')
})

await t.test('a build whose channel ends is over, and not for ever waiting to be bound', async (t) => {
  const bound = bindings()
  const topology = topologyOf(bound)
  const connection = await useConnection(t)
  await topology.attach(connection)
  t.teardown(() => topology.remove())
  // RabbitMQ ends the channel that binds to an exchange that is not there.
  const route = { exchange: `gone.${randomUUID()}`, key: 'a' }
  bound.acquire(route).catch(() => undefined)
  await t.rejects(topology.renew(), /NOT_FOUND/)
  t.notOk(topology.isReady)
  bound.release(route)
  await topology.attach(connection)
  t.ok(topology.isReady)
})

await t.test(
  'an inbox is given another name though the link broke while the old one was let go',
  async (t) => {
    const topology = topologyOf(bindings())
    const proxy = await useTcpProxy(t, brokerUrl.hosts[0]!.port)
    const link = await useConnection(t, { ...brokerUrl, hosts: [{ host: '127.0.0.1', port: proxy.port }] })
    await topology.attach(link)
    const first = topology.inbox
    proxy.freeze()
    const renewing = topology.renew()
    proxy.cut()
    await t.rejects(renewing)
    await topology.attach(await useConnection(t))
    t.teardown(() => topology.remove())
    t.not(topology.inbox, first)
    t.ok(topology.isReady)
  },
)

await t.test('who closes a channel waits a moment for the goodbye, and not for ever', async (t) => {
  const proxy = await useTcpProxy(t, brokerUrl.hosts[0]!.port)
  const link = await useConnection(t, { ...brokerUrl, hosts: [{ host: '127.0.0.1', port: proxy.port }] })
  const channel = await link.channel(() => undefined)
  proxy.freeze()
  await closeChannel(channel)
  t.ok(link.isOpen)
})
