import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { publishByStomp } from '../support/stompit.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'

// One node is killed and comes back with its data. What this cannot show is a cluster whose other
// nodes go on meanwhile.

const rabbit = await useOwnRabbitMq(t)
const relay = await useRelay(t, {
  RABBITMQ_STOMP_URL: rabbit.stompUrl,
  RABBITMQ_AMQP_URL: rabbit.amqpUrl,
})
const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
await bob.subscribe('m', '/topic/messages')
await bob.subscribe('o', '/user/queue/orders')
await alice.subscribe('m', '/topic/messages')

const isReady = async (): Promise<boolean> => (await fetch(`${relay.address}/readyz`)).ok

async function say(content: string): Promise<void> {
  await alice.ask('SEND', ['destination', '/app/messages'], JSON.stringify({ content }))
}

for (const [name, end] of [
  ['killed', () => rabbit.node.kill()],
  ['shut down', () => rabbit.node.shutDown()],
] as const) {
  await t.test(`RabbitMQ is ${name} in the middle of a conversation and comes back`, async (t) => {
    const consumer = await StompClient.connect(t, relay.url, { login: 'orders' })
    await consumer.subscribe('q', '/queue/work', ['ack', 'client'])
    await consumer.ask('SEND', ['destination', '/queue/work'], 'first')
    t.equal(Buffer.from((await consumer.next('MESSAGE')).body).toString(), 'first')
    await say('before')
    for (const client of [alice, bob]) t.equal((await client.message('m')).payload['content'], 'before')

    await end()
    t.match(header((await consumer.next('ERROR')).headers, 'message'), /^broker session lost/)
    t.equal((await consumer.closed).code, 1011, 'who had a session of its own at the broker is told')
    await until(async () => !(await isReady()))
    await say('during one')
    await say('during two')

    await rabbit.node.start()
    const backAt = performance.now()
    for (const content of ['during one', 'during two']) {
      for (const client of [alice, bob]) t.equal((await client.message('m')).payload['content'], content)
    }
    const elapsedMs = performance.now() - backAt
    t.comment(`received again ${elapsedMs.toFixed(0)} ms after RabbitMQ's return`)
    t.ok(elapsedMs < 10_000)
    await until(isReady)

    const again = await StompClient.connect(t, relay.url, { login: 'orders' })
    await again.subscribe('q', '/queue/work', ['ack', 'client'])
    await again.ask(
      'SEND',
      ['destination', '/queue/user'],
      `{"orderId":"${name.slice(0, 4)}","userId":"bob","status":"READY"}`,
    )
    t.match((await bob.message('o')).payload, { status: 'READY' }, 'orders are taken in again')
    await say('after')
    for (const client of [alice, bob]) t.equal((await client.message('m')).payload['content'], 'after')
    for (const client of [alice, bob]) {
      t.notOk(
        client.inbox.some(({ command }) => command === 'ERROR' || command === 'MESSAGE'),
        'nothing twice',
      )
    }
    t.ok(await again.close())
  })
}

await t.test('other publishers are heard again too', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.subscribe('p', '/topic/prices.#')
  await publishByStomp(rabbit.stompUrl, { destination: '/topic/prices.tea' }, 'three')
  t.equal(Buffer.from((await service.next('MESSAGE')).body).toString(), 'three')
})

await t.test('a consumer whose queue is deleted is told, and nobody else notices', async (t) => {
  const listening = await StompClient.connect(t, relay.url, { login: 'orders' })
  await listening.subscribe('e', '/user/queue/errors')
  await listening.subscribe('q', '/queue/doomed')
  const plain = await StompClient.connect(t, relay.url, { login: 'guest' })
  await plain.subscribe('q', '/queue/doomed')
  await rabbit.ctl('delete_queue', 'doomed')
  t.match((await listening.message('e')).payload, {
    code: 'broker-unavailable',
    destination: '/queue/doomed',
  })
  const { headers } = await plain.next('ERROR')
  t.equal(header(headers, 'subscription'), 'q')
  t.equal((await plain.closed).code, 1011)
  await say('and on it goes')
  t.equal((await bob.message('m')).payload['content'], 'and on it goes')
})
