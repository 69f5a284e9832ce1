import t, { type Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay, type TestRelay } from '../support/relay.ts'
import { publishByStomp } from '../support/stompit.ts'
import { StompClient } from '../support/stomp-client.ts'
import { useTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

// RabbitMQ is away here because its ports refuse. That it accepts and never answers is for the tests
// of the adapter.

const rabbit = await useRabbitMq(t)

interface Away {
  readonly relay: TestRelay
  /** RabbitMQ comes. */
  readonly come: () => void
}

/** A node that starts while its RabbitMQ is away. */
async function startAlone(t: Test): Promise<Away> {
  const proxies = await Promise.all(
    [rabbit.stompUrl, rabbit.amqpUrl].map((url) => useTcpProxy(t, Number(new URL(url).port))),
  )
  const [stompUrl = '', amqpUrl = ''] = [rabbit.stompUrl, rabbit.amqpUrl].map((url, i) => {
    const changed = new URL(url)
    changed.port = String(proxies[i]?.port)
    return changed.href
  })
  for (const proxy of proxies) proxy.refuse(true)
  const relay = await useRelay(t, { RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl })
  return {
    relay,
    come: () => {
      for (const proxy of proxies) proxy.refuse(false)
    },
  }
}

await t.test('the node serves, says why it is not ready, and is ready when RabbitMQ comes', async (t) => {
  const { relay, come } = await startAlone(t)
  t.equal((await fetch(`${relay.address}/healthz`)).status, 200)
  const away = await fetch(`${relay.address}/readyz`)
  t.equal(away.status, 503)
  t.match(await away.json(), { status: 'not-ready', broker: { isUp: false, detail: /ECONN|closed|hung up/ } })
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('e', '/user/queue/errors')
  alice.send('SUBSCRIBE', ['id', 'm', 'destination', '/topic/messages', 'receipt', 'subscribed'])
  alice.send('SEND', ['destination', '/app/messages', 'receipt', 'sent'], '{"content":"waits with it"}')
  come()
  const first = await alice.next('RECEIPT')
  t.equal(header(first.headers, 'receipt-id'), 'subscribed', 'what waits is done in order')
  t.equal(header((await alice.next('RECEIPT')).headers, 'receipt-id'), 'sent')
  t.equal((await alice.message('m')).payload['content'], 'waits with it')
  await until(async () => (await fetch(`${relay.address}/readyz`)).ok)
})

await t.test('orders that waited in the queue are taken when RabbitMQ comes', async (t) => {
  const { relay, come } = await startAlone(t)
  const order = '{"orderId":"early","userId":"bob","status":"PLACED"}'
  await publishByStomp(rabbit.stompUrl, { destination: '/queue/user' }, order)
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  bob.send('SUBSCRIBE', ['id', 'o', 'destination', '/topic/orders.early', 'receipt', 'r'])
  t.match(
    header((await bob.next('ERROR')).headers, 'message'),
    'forbidden',
    "an order that nobody has heard of is nobody's",
  )
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  admin.send('SUBSCRIBE', ['id', 'o', 'destination', '/topic/orders', 'receipt', 'r'])
  come()
  await admin.next('RECEIPT')
  // Taken before the subscription was bound, or after it: stored it is.
  await publishByStomp(rabbit.stompUrl, { destination: '/queue/user' }, order.replace('PLACED', 'READY'))
  await admin.next('MESSAGE', ({ body }) => Buffer.from(body).toString().includes('READY'))
  const owner = await StompClient.connect(t, relay.url, { login: 'bob' })
  await owner.subscribe('o', '/topic/orders.early')
})

await t.test('while it stays away, nothing waits for longer than its bound', async (t) => {
  const { relay } = await startAlone(t)
  const startedAt = performance.now()
  const listening = await StompClient.connect(t, relay.url, { login: 'orders' })
  await listening.subscribe('e', '/user/queue/errors')
  t.pass('the queue of faults needs no broker')

  const waiting = async (
    outcome: string,
    headers: readonly string[],
    command: 'SEND' | 'SUBSCRIBE',
  ): Promise<void> => {
    const client = await StompClient.connect(t, relay.url, { login: 'orders' })
    await client.subscribe('e', '/user/queue/errors')
    client.send(command, [...headers, 'receipt', 'r'], command === 'SEND' ? 'x' : undefined)
    const { payload } = await client.message('e')
    t.match(payload, { code: 'broker-unavailable', receipt: 'r' }, outcome)
    const elapsedMs = performance.now() - startedAt
    t.ok(elapsedMs < 30_000, `${outcome}: after ${elapsedMs.toFixed(0)} ms`)
    await client.subscribe('late', '/app/rooms/lobby/history')
    t.notOk(
      client.inbox.some(({ command: seen }) => seen === 'ERROR'),
      'the session lives on',
    )
  }
  const plain = async (): Promise<void> => {
    const client = await StompClient.connect(t, relay.url, { login: 'orders' })
    client.send('SEND', ['destination', '/topic/prices', 'receipt', 'r-1'], 'x')
    const { headers } = await client.next('ERROR')
    t.match(header(headers, 'message'), 'broker-unavailable')
    t.equal(header(headers, 'receipt-id'), 'r-1')
    t.equal((await client.closed).code, 1011, 'which says: come back')
  }
  const own = async (): Promise<void> => {
    const client = await StompClient.connect(t, relay.url, { login: 'orders' })
    await client.subscribe('e', '/user/queue/errors')
    client.send('SEND', ['destination', '/queue/work', 'receipt', 'r'], 'x')
    const told = await Promise.race([
      client.message('e').then(({ payload }) => String(payload['code'])),
      client.next('ERROR').then(({ headers }) => String(header(headers, 'message'))),
    ])
    t.match(told, /broker-unavailable|broker session lost/)
  }
  await Promise.all([
    waiting('a SUBSCRIBE', ['id', 's', 'destination', '/topic/prices'], 'SUBSCRIBE'),
    waiting('a SEND', ['destination', '/topic/prices'], 'SEND'),
    waiting('a SEND to a user', ['destination', '/user/bob/queue/notifications'], 'SEND'),
    plain(),
    own(),
  ])

  await t.test('what asks for no receipt is refused at once, and what is stored is taken', async (t) => {
    listening.send('SEND', ['destination', '/topic/prices'], 'x')
    t.match((await listening.message('e')).payload, { code: 'broker-unavailable' })
    await listening.ask('SEND', ['destination', '/app/messages'], '{"content":"kept"}')
  })
})
