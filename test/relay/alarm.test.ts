import t, { type Test } from 'tap'
import { header, type Frame, type HeaderList } from '../../protocol/frame.ts'
import { StompConnection } from '../../src/broker/rabbitmq/stomp-connection.ts'
import { parseBrokerUrl } from '../../src/config/broker-url.ts'
import { Inbox } from '../support/inbox.ts'
import { usePostgres } from '../support/postgres.ts'
import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { useRelay, type TestRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET } from '../support/token.ts'
import { metric, until } from '../support/until.ts'

// A memory alarm of RabbitMQ, by a watermark that it cannot but be above, under two nodes on one database.
// RabbitMQ takes the first SEND of every connection under an alarm: so outsiders can still publish here.
t.setTimeout(240_000)

const [databaseUrl, rabbit] = await Promise.all([usePostgres(t), useOwnRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: rabbit.stompUrl,
  RABBITMQ_AMQP_URL: rabbit.amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
}
const [west, east] = await Promise.all([
  useRelay(t, { ...env, NODE_ID: 'west' }),
  useRelay(t, { ...env, NODE_ID: 'east' }),
])
await Promise.all([west, east].map((node) => until(async () => (await ready(node)).status === 200)))

interface Readiness {
  readonly status: number
  readonly broker: Readonly<Record<string, unknown>>
}

async function ready({ address }: TestRelay): Promise<Readiness> {
  const response = await fetch(`${address}/readyz`)
  const { broker } = (await response.json()) as Pick<Readiness, 'broker'>
  return { status: response.status, broker }
}

/** Resolves when both nodes know of it. */
async function beginAlarm(t: Test): Promise<void> {
  t.teardown(endAlarm)
  await rabbit.ctl('set_vm_memory_high_watermark', 'absolute', '1MB')
  await Promise.all(
    [west, east].map((node) => until(async () => (await ready(node)).broker['alarm'] !== undefined)),
  )
}

async function endAlarm(): Promise<void> {
  await rabbit.ctl('set_vm_memory_high_watermark', '0.8')
}

async function backToNormal(): Promise<void> {
  await endAlarm()
  await Promise.all(
    [west, east].map((node) => until(async () => (await ready(node)).broker['isUp'] === true)),
  )
}

/** A connection straight to RabbitMQ. */
async function outsider(t: Test, onFrame: (frame: Frame) => void): Promise<StompConnection> {
  const url = parseBrokerUrl(rabbit.stompUrl, 'stomp', 61613)
  const options = { url, connectTimeoutMs: 30_000, heartBeatMs: 0, onFrame }
  const connection = await StompConnection.open(url.hosts[0]!, options, new AbortController().signal)
  t.teardown(() => connection.destroy())
  return connection
}

/** One SEND on a connection of its own, resolved with its receipt. */
async function publishOutside(t: Test, headers: HeaderList, body: string): Promise<void> {
  const frames = new Inbox<Frame>()
  const connection = await outsider(t, frames.push)
  connection.send('SEND', [...headers, 'receipt', 'r'], Buffer.from(body))
  t.equal((await frames.at(0)).command, 'RECEIPT')
  connection.destroy()
}

async function service(t: Test, node: TestRelay): Promise<StompClient> {
  const client = await StompClient.connect(t, node.url, { login: 'orders' })
  await client.subscribe('errors', '/user/queue/errors')
  return client
}

await t.test('the alarm shows in readiness and metrics, and so does its end', async (t) => {
  const before = await metric(west.address, 'stomp_relay_broker_events_total{event="alarms"}')
  t.equal(await metric(west.address, 'stomp_relay_broker_up'), 1)
  await beginAlarm(t)
  t.match(await ready(west), {
    status: 200,
    broker: { isUp: false, alarm: 'low on memory', detail: /publisher .*blocked by an alarm of the broker/ },
  })
  t.equal(await metric(west.address, 'stomp_relay_broker_up'), 0)
  t.equal(await metric(west.address, 'stomp_relay_broker_alarm'), 1)
  t.equal((await fetch(`${west.address}/healthz`)).status, 200)
  await backToNormal()
  t.notOk('alarm' in (await ready(west)).broker)
  t.equal(await metric(west.address, 'stomp_relay_broker_up'), 1)
  t.equal(await metric(west.address, 'stomp_relay_broker_alarm'), 0)
  t.equal(await metric(west.address, 'stomp_relay_broker_events_total{event="alarms"}'), before + 1)
  t.equal(await metric(west.address, 'stomp_relay_broker_events_total{event="reconnects"}'), 0)
})

await t.test('readiness and metrics tell which broker it is', async (t) => {
  const { broker } = await ready(west)
  t.match(broker, { server: { product: 'RabbitMQ', version: /^\d+\.\d+/ } })
  const { product, version } = broker['server'] as Record<string, string>
  const name = `stomp_relay_broker_info{product="${product}",version="${version}"}`
  t.equal(await metric(west.address, name), 1)
})

await t.test(
  'subscribers go on, and stored events reach them on every node and others after it',
  async (t) => {
    const outside = new Inbox<Frame>()
    const listening = await outsider(t, outside.push)
    listening.send('SUBSCRIBE', ['id', 's', 'destination', '/topic/messages', 'receipt', 'r'])
    t.equal((await outside.at(0)).command, 'RECEIPT')
    const alice = await StompClient.connect(t, west.url, { login: 'alice' })
    const bob = await StompClient.connect(t, east.url, {
      login: 'bob',
      headers: ['heart-beat', '0,1000'],
    })
    const jobs = await service(t, west)
    await beginAlarm(t)

    await alice.subscribe('m', '/topic/messages')
    await bob.subscribe('m', '/topic/messages')
    await jobs.subscribe('p', '/topic/prices')
    t.pass('a SUBSCRIBE has its RECEIPT')
    await publishOutside(t, ['destination', '/topic/prices'], '3')
    const price = await jobs.next('MESSAGE')
    t.equal(Buffer.from(price.body).toString(), '3', 'what others get through arrives')
    await publishOutside(
      t,
      ['destination', '/queue/user'],
      JSON.stringify({ orderId: 'alarm-1', userId: 'bob', status: 'PLACED' }),
    )
    const admin = await StompClient.connect(t, east.url, { login: 'admin' })
    await admin.subscribe('o', '/topic/orders', ['history', '1'])
    t.match((await admin.message('o')).payload, { orderId: 'alarm-1' }, 'orders are taken')

    const said = Array.from({ length: 20 }, (_, i) => `said ${i}`)
    for (const content of said)
      await alice.ask('SEND', ['destination', '/app/messages'], JSON.stringify({ content }))
    t.pass('what is stored has its RECEIPT')
    for (const reader of [alice, bob]) {
      for (const content of said) t.match((await reader.message('m')).payload, { content })
    }
    const beats = bob.heartBeats
    await until(() => bob.heartBeats >= beats + 2)
    t.equal(outside.items.length, 1, 'all this while the alarm was on, and RabbitMQ took nothing')
    t.equal((await ready(west)).broker['alarm'], 'low on memory')
    await backToNormal()

    const relayed = (await outside.atLeast(1 + said.length)).slice(1)
    t.strictSame(
      relayed.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { content: string }).content),
      said,
      'RabbitMQ gets each once and in order',
    )
    await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"after"}')
    for (const reader of [alice, bob]) t.match((await reader.message('m')).payload, { content: 'after' })
  },
)

/**
 * Sends until one is receipted, since the end of an alarm may take longer than a SEND waits; resolves with
 * its body. What is refused meanwhile bears another one.
 */
async function sendUntilTaken(client: StompClient, destination: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const body = `in time ${attempt}`
    const receipt = `attempt-${attempt}`
    client.send('SEND', ['destination', destination, 'receipt', receipt], body)
    const isAnswer = ({ command, headers, body: text }: Frame): boolean =>
      (command === 'RECEIPT' && header(headers, 'receipt-id') === receipt) ||
      (command === 'MESSAGE' && Buffer.from(text).includes(receipt))
    await client.until(() => client.inbox.some(isAnswer))
    const [answer] = client.inbox.splice(client.inbox.findIndex(isAnswer), 1)
    if (answer?.command === 'RECEIPT') return body
  }
}

const isJob = ({ headers }: Frame): boolean => header(headers, 'subscription') === 'j'

await t.test('a SEND to a topic waits for the end, or is refused within its bound', async (t) => {
  const publisher = await service(t, west)
  const subscriber = await service(t, east)
  await subscriber.subscribe('p', '/topic/prices')
  await beginAlarm(t)
  publisher.send('SEND', ['destination', '/topic/prices'], 'at once')
  t.match((await publisher.message('errors')).payload, { code: 'broker-unavailable' })
  const startedAt = performance.now()
  publisher.send('SEND', ['destination', '/topic/prices', 'receipt', 'late'], 'in vain')
  t.match((await publisher.message('errors')).payload, { code: 'broker-unavailable', receipt: 'late' })
  const waitedMs = performance.now() - startedAt
  t.ok(waitedMs > 9_000, `${waitedMs.toFixed(0)} ms`)
  const taken = sendUntilTaken(publisher, '/topic/prices')
  await endAlarm()
  const { body } = await subscriber.next('MESSAGE')
  t.equal(Buffer.from(body).toString(), await taken, 'what was refused is not sent later')
  await backToNormal()
})

await t.test('a consumer with an own session acknowledges on, and its SENDs wait', async (t) => {
  const worker = await service(t, west)
  for (const job of ['1', '2', '3']) await worker.ask('SEND', ['destination', '/queue/jobs'], job)
  await beginAlarm(t)
  await worker.subscribe('j', '/queue/jobs', ['ack', 'client-individual', 'prefetch-count', '1'])
  for (const job of ['1', '2', '3']) {
    const { headers, body } = await worker.next('MESSAGE')
    t.equal(Buffer.from(body).toString(), job)
    await worker.ask('ACK', ['id', header(headers, 'ack') ?? ''])
  }
  worker.send('SEND', ['destination', '/queue/jobs', 'receipt', 'late'], 'in vain')
  const { payload } = await worker.message('errors')
  t.match(payload, {
    code: 'broker-unavailable',
    receipt: 'late',
    message: /takes no messages now: low on memory/,
  })
  const taken = sendUntilTaken(worker, '/queue/jobs')
  await endAlarm()
  t.equal(Buffer.from((await worker.next('MESSAGE', isJob)).body).toString(), await taken)
  await backToNormal()
})
