import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import fastify from 'fastify'
import t from 'tap'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { registerProbes } from '../../src/http/routes/probes.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { OutboxAge } from '../../src/stream/outbox-age.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { temporaryFolder, useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric } from '../support/until.ts'

await t.test('is alive and ready, and says what is up', async (t) => {
  const { address } = await useRelay(t)
  const alive = await fetch(`${address}/healthz`)
  t.equal(alive.status, 200)
  t.same(await alive.json(), { status: 'ok' })
  const ready = await fetch(`${address}/readyz`)
  t.equal(ready.status, 200)
  t.match(await ready.json(), {
    status: 'ready',
    broker: { isUp: true },
    database: { isUp: true, outboxAgeMs: 0 },
    isDraining: false,
  })
})

await t.test(
  'is alive and not ready while RabbitMQ is away, and says why without its password',
  async (t) => {
    const taken = createServer((socket) => socket.destroy())
    t.teardown(() => taken.close())
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { address } = await useRelay(t, {
      RABBITMQ_STOMP_URL: `stomp://guest:hunter2@127.0.0.1:${port}`,
      RABBITMQ_AMQP_URL: `amqp://guest:hunter2@127.0.0.1:${port}`,
    })
    t.equal((await fetch(`${address}/healthz`)).status, 200)
    const ready = await fetch(`${address}/readyz`)
    t.equal(ready.status, 503)
    const text = await ready.text()
    t.match(JSON.parse(text), {
      status: 'not-ready',
      broker: { isUp: false, detail: /\w/ },
      database: { isUp: true },
      isDraining: false,
    })
    t.notMatch(text, /hunter2/)
  },
)

await t.test('is not ready while the database does not answer', async (t) => {
  const store = await openStore({
    url: `sqlite:${await temporaryFolder(t)}/a.db`,
    nodeId: 'n',
    lock: false,
  })
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  await broker.start({ onMessage: () => undefined, onHole: () => undefined })
  const server = fastify()
  t.teardown(() => server.close())
  const outboxAge = new OutboxAge({ store })
  registerProbes(server, {
    store,
    broker,
    outboxAge,
    metrics: createMetrics(),
    isDraining: () => false,
  })
  t.equal((await server.inject('/readyz')).statusCode, 200)
  await store.close()
  const { statusCode, body } = await server.inject('/readyz')
  t.equal(statusCode, 503)
  t.match(JSON.parse(body), { database: { isUp: false, detail: 'does not answer' }, broker: { isUp: true } })
  t.equal((await server.inject('/healthz')).statusCode, 200)
})

await t.test('asks the database and the metrics a few times, however many ask', async (t) => {
  const asked = { pings: 0, texts: 0 }
  const server = fastify()
  t.teardown(() => server.close())
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  registerProbes(server, {
    store: { ping: async () => void (asked.pings += 1) },
    broker,
    outboxAge: { ms: async () => 0 },
    metrics: { ...createMetrics(), text: async () => `texts ${(asked.texts += 1)}` },
    isDraining: () => false,
  })
  const startedAtMs = performance.now()
  for (let i = 0; i < 500; i += 1) {
    await server.inject('/readyz')
    t.match((await server.inject('/metrics')).body, 'texts ')
  }
  const most = 50 + ((performance.now() - startedAtMs) / 1000) * 10 + 1
  t.ok(asked.pings <= most && asked.pings >= 50, `${asked.pings} of 500 asked the database`)
  t.ok(asked.texts <= most && asked.texts >= 50, `${asked.texts} of 500 made the text`)
})

await t.test('counts what happens, in the form of Prometheus', async (t) => {
  const { address, url } = await useRelay(t, { LIMIT_CONNECTIONS: '2' })
  const response = await fetch(`${address}/metrics`)
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  for (const name of [
    'connections',
    'sessions',
    'connections_refused_total',
    'frames_received_total',
    'frames_sent_total',
    'socket_writes_total',
    'refusals_total',
    'violations_total',
    'slow_clients_total',
  ]) {
    t.match(text, `# TYPE stomp_relay_${name} `)
    t.match(text, `# HELP stomp_relay_${name} `)
  }
  t.match(text, 'process_cpu_seconds_total')

  const alice = await StompClient.connect(t, url, { login: 'alice' })
  await StompClient.open(t, url)
  await alice.subscribe('e', '/user/queue/errors')
  alice.send('SEND', ['destination', '/app/messages'], '{}')
  await alice.message('e')
  await t.rejects(StompClient.open(t, url))
  alice.sendRaw('NONSENSE\n\n\0')
  await alice.next('ERROR')
  for (const [name, value] of [
    // CONNECT, SUBSCRIBE, SEND; the fourth was no frame.
    ['frames_received_total', 3],
    // CONNECTED, RECEIPT, MESSAGE, ERROR.
    ['frames_sent_total', 4],
    ['socket_writes_total', 4],
    ['refusals_total{code="invalid-payload"}', 1],
    ['violations_total{code="unknown-command"}', 1],
    ['connections_refused_total{reason="connections"}', 1],
    ['slow_clients_total', 0],
  ] as const) {
    t.equal(await metric(address, `stomp_relay_${name}`), value, name)
  }
})

await t.test('counts connections and sessions that are there', async (t) => {
  const { address, url } = await useRelay(t)
  const alice = await StompClient.connect(t, url, { login: 'alice' })
  await StompClient.open(t, url)
  t.equal(await metric(address, 'stomp_relay_connections'), 2)
  t.equal(await metric(address, 'stomp_relay_sessions'), 1)
  alice.send('DISCONNECT', ['receipt', 'bye'])
  await alice.closed
  while ((await metric(address, 'stomp_relay_connections')) !== 1);
  t.equal(await metric(address, 'stomp_relay_sessions'), 0)
})
