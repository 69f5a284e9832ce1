import { connect, type Channel } from 'amqplib'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'

// What a plain STOMP server cannot be judged by: restarts of the broker, and AMQP peers behind it.

t.setTimeout(240_000)

const rabbit = await useOwnRabbitMq(t)
const relay = await useRelay(t, {
  RABBITMQ_STOMP_URL: rabbit.stompUrl,
  RABBITMQ_AMQP_URL: rabbit.amqpUrl,
})
const isReady = async (): Promise<boolean> => (await fetch(`${relay.address}/readyz`)).ok

async function useChannel(t: { teardown(fn: () => Promise<void>): void }): Promise<Channel> {
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  return connection.createChannel()
}

async function textOf(client: StompClient, subscription: string): Promise<string> {
  const frame = await client.next(
    'MESSAGE',
    ({ headers }) => header(headers, 'subscription') === subscription,
  )
  return Buffer.from(frame.body).toString()
}

const DURABLE = ['durable', 'true', 'auto-delete', 'false']

await t.test('durable subscriptions of two users with one id: each keeps its own', async (t) => {
  const users = ['orders', 'guest']
  for (const login of users) {
    const client = await StompClient.connect(t, relay.url, { login })
    await client.subscribe('sub-0', '/topic/news', DURABLE)
    await client.ask('DISCONNECT')
  }
  const sender = await StompClient.connect(t, relay.url, { login: 'admin' })
  const persistent = ['destination', '/topic/news', 'persistent', 'true']
  await sender.ask('SEND', persistent, 'one')
  await rabbit.node.sync()
  await rabbit.node.kill()
  await until(async () => !(await isReady()))
  await rabbit.node.start()
  await until(isReady)
  await sender.ask('SEND', persistent, 'two')
  for (const login of users) {
    const client = await StompClient.connect(t, relay.url, { login })
    await client.subscribe('sub-0', '/topic/news', DURABLE)
    for (const body of ['one', 'two']) t.equal(await textOf(client, 'sub-0'), body, login)
    await client.ask('UNSUBSCRIBE', ['id', 'sub-0', ...DURABLE])
  }
  t.notMatch(await rabbit.ctl('list_queues', 'name'), /stomp-subscription/, 'both are removed')
})

await t.test('a persistent message of a queue survives a kill of RabbitMQ', async (t) => {
  const sender = await StompClient.connect(t, relay.url, { login: 'orders' })
  await sender.ask('SEND', ['destination', '/queue/kept', 'persistent', 'true'], 'kept')
  await rabbit.node.sync()
  await rabbit.node.kill()
  t.equal((await sender.closed).code, 1011)
  await rabbit.node.start()
  await until(isReady)
  const reader = await StompClient.connect(t, relay.url, { login: 'orders' })
  await reader.subscribe('q', '/queue/kept')
  t.equal(await textOf(reader, 'q'), 'kept')
})

await t.test('x-expires removes a queue that nobody uses, and the next SEND makes it anew', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'orders' })
  const headers = ['destination', '/queue/passing', 'x-expires', '200']
  await client.ask('SEND', headers, 'lost with its queue')
  await until(async () => !(await rabbit.ctl('list_queues', 'name')).includes('passing'))
  const reader = await StompClient.connect(t, relay.url, { login: 'orders' })
  await reader.subscribe('q', '/queue/passing', headers.slice(2))
  await client.ask('SEND', headers, 'arrives')
  t.equal(await textOf(reader, 'q'), 'arrives')
})

await t.test('headers pass between STOMP and AMQP, both ways', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'orders' })
  const channel = await useChannel(t)
  await channel.assertQueue('to-amqp', { durable: true })
  const asked = ['correlation-id', 'c-1', 'priority', '3', 'color', 'red', 'persistent', 'true']
  await client.ask('SEND', ['destination', '/queue/to-amqp', ...asked], 'hi')
  const got = await channel.get('to-amqp', { noAck: true })
  if (got === false) throw new Error('the queue is empty')
  const { correlationId, priority, deliveryMode, headers } = got.properties
  t.match({ correlationId, priority, deliveryMode }, { correlationId: 'c-1', priority: 3, deliveryMode: 2 })
  t.equal(headers?.['color'], 'red')

  await client.subscribe('q', '/queue/to-stomp')
  channel.sendToQueue('to-stomp', Buffer.from([0, 255, 10]), {
    headers: { color: 'blue', size: { '!': 'int32', value: 5 } },
    contentType: 'application/octet-stream',
    replyTo: 'answers',
  })
  const frame = await client.next('MESSAGE')
  for (const [name, value] of [
    ['color', 'blue'],
    ['size', '5'],
    ['content-type', 'application/octet-stream'],
    ['reply-to', '/reply-queue/answers'],
  ] as const) {
    t.equal(header(frame.headers, name), value, name)
  }
  t.same([...frame.body], [0, 255, 10])
})
