import t, { type Test } from 'tap'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay, type TestRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric, until } from '../support/until.ts'

t.setTimeout(240_000)

// More than the kernel's buffers hold on the way, and far more than may be unsent to one client.
const MESSAGES = 1500
const PADDING = 'x'.repeat(16_384)
const LIMITS = { LIMIT_OUTBOX_BYTES: '131072' }
/** Questions with one answer, after which nothing is on its way any more. */
const STILL = 5

const rabbit = await useRabbitMq(t)
const brokers = {
  'the in-process broker': {},
  RabbitMQ: { RABBITMQ_STOMP_URL: rabbit.stompUrl, RABBITMQ_AMQP_URL: rabbit.amqpUrl },
}

/** SENDs without receipts, as fast as the socket takes them. */
async function fill(t: Test, relay: TestRelay, queue: string): Promise<void> {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  for (let i = 1; i < MESSAGES; i++) service.send('SEND', ['destination', queue], `${i} ${PADDING}`)
  await service.ask('SEND', ['destination', queue], `${MESSAGES} ${PADDING}`)
  await service.close()
}

async function untilStill(relay: TestRelay): Promise<void> {
  let [last, times] = [-1, 0]
  await until(async () => {
    const sent = await metric(relay.address, 'stomp_relay_frames_sent_total')
    times = sent === last ? times + 1 : 0
    last = sent
    return times >= STILL
  })
}

/** Reads nothing for a while, and then a little at a time; never for as long as RabbitMQ would cut it off for. */
async function readSlowly(t: Test, relay: TestRelay, { webSocket }: StompClient): Promise<void> {
  webSocket.on('message', () => {
    webSocket.pause()
    setImmediate(() => webSocket.resume())
  })
  if (relay.broker !== 'in-process') return
  webSocket.pause()
  await untilStill(relay)
  t.ok((await metric(relay.address, 'stomp_relay_frames_sent_total')) < MESSAGES, 'it is not all on its way')
  webSocket.resume()
}

for (const [name, env] of Object.entries(brokers)) {
  await t.test(`a long queue of ${name} waits for a client that reads when it likes`, async (t) => {
    const relay = await useRelay(t, { ...env, ...LIMITS })
    if (name === 'RabbitMQ') await until(async () => (await fetch(`${relay.address}/readyz`)).ok)
    const queue = '/queue/long'
    await fill(t, relay, queue)
    const reader = await StompClient.connect(t, relay.url, { login: 'guest' })
    reader.send('SUBSCRIBE', ['id', 'q', 'destination', queue])
    await readSlowly(t, relay, reader)
    await reader.until(() => reader.inbox.length === MESSAGES)
    t.same(
      reader.inbox.map(({ body }) => parseInt(Buffer.from(body).toString(), 10)),
      Array.from({ length: MESSAGES }, (_, i) => i + 1),
    )
    t.equal(await metric(relay.address, 'stomp_relay_slow_clients_total'), 0)
    await reader.close()
  })

  await t.test(`a client that never reads a queue of ${name} is closed with 4500`, async (t) => {
    const relay = await useRelay(t, { ...env, ...LIMITS, LIMIT_OUTBOX_MS: '2000' })
    if (name === 'RabbitMQ') await until(async () => (await fetch(`${relay.address}/readyz`)).ok)
    const queue = '/queue/never'
    await fill(t, relay, queue)
    const reader = await StompClient.connect(t, relay.url, { login: 'guest' })
    reader.send('SUBSCRIBE', ['id', 'q', 'destination', queue])
    reader.webSocket.pause()
    await until(async () => (await metric(relay.address, 'stomp_relay_slow_clients_total')) === 1)
    reader.webSocket.resume()
    t.equal((await reader.closed).code, 4500)
  })
}
