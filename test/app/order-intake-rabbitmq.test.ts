import { connect } from 'amqplib'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { publishByStomp } from '../support/stompit.ts'
import { until } from '../support/until.ts'
import { orderIntake } from './order-intake.ts'

t.setTimeout(120_000)

const { stompUrl, amqpUrl } = await useRabbitMq(t)
const relay = await useRelay(t, { RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl })
await orderIntake(t, relay)

await t.test('a bad order from outside is a dead letter with the headers it came with', async (t) => {
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await admin.subscribe('dead', '/queue/user.dead-letter')
  await publishByStomp(stompUrl, { destination: '/queue/user', 'x-shop': 'tcp' }, '{"orderId":1}')
  const connection = await connect(amqpUrl)
  const channel = await connection.createConfirmChannel()
  channel.sendToQueue('user', Buffer.from([0xff, 0x00]), {
    headers: { 'x-shop': 'amqp', 'x-dead-letter-reason': 'forged' },
    correlationId: 'c-1',
    contentType: 'application/octet-stream',
  })
  await channel.waitForConfirms()
  await connection.close()
  const find = (shop: string) => admin.next('MESSAGE', ({ headers }) => header(headers, 'x-shop') === shop)
  t.match(
    header((await find('tcp')).headers, 'x-dead-letter-reason'),
    /^invalid-payload: the body must have required/,
  )
  const { headers, body } = await find('amqp')
  t.same([...body], [0xff, 0x00])
  t.equal(header(headers, 'correlation-id'), 'c-1')
  t.equal(header(headers, 'content-type'), 'application/octet-stream')
  t.equal(header(headers, 'x-dead-letter-reason'), 'invalid-payload: the body is not JSON', 'the true one')
})

await t.test('what cannot be copied with its headers is copied without them, and stored once', async (t) => {
  const store = await openStore({ url: `sqlite:${relay.database}`, nodeId: 'reader', lock: false })
  t.teardown(() => store.close())
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await admin.subscribe('dead', '/queue/user.dead-letter')
  const before = (await store.deadLetters.list({ limit: 1000 })).length
  const connection = await connect(amqpUrl)
  const channel = await connection.createConfirmChannel()
  channel.sendToQueue('user', Buffer.from('one'), { headers: { expiration: 'never' }, expiration: '60000' })
  // A table of headers that has no room for another one.
  channel.sendToQueue('user', Buffer.from('two'), { headers: { 'x-large': 'x'.repeat(65_500) } })
  await channel.waitForConfirms()
  await connection.close()
  for (const text of ['one', 'two']) {
    const { headers, body } = await admin.next('MESSAGE')
    t.equal(Buffer.from(body).toString(), text)
    t.equal(header(headers, 'x-dead-letter-reason'), 'invalid-payload: the body is not JSON')
    t.ok(await store.deadLetters.find(header(headers, 'x-dead-letter-id') ?? ''))
    t.equal(header(headers, 'x-large'), undefined)
  }
  t.equal((await store.deadLetters.list({ limit: 1000 })).length, before + 2)
})

await t.test('orders that came while no node was there are taken by the next one', async (t) => {
  await relay.close()
  await publishByStomp(
    stompUrl,
    { destination: '/queue/user' },
    '{"orderId":"late","userId":"bob","status":"READY"}',
  )
  const next = await useRelay(t, {
    RABBITMQ_STOMP_URL: stompUrl,
    RABBITMQ_AMQP_URL: amqpUrl,
    DATABASE_URL: `sqlite:${relay.database}`,
  })
  const admin = await StompClient.connect(t, next.url, { login: 'admin' })
  await admin.subscribe('all', '/topic/orders')
  await publishByStomp(
    stompUrl,
    { destination: '/queue/user' },
    '{"orderId":"late","userId":"bob","status":"SHIPPED"}',
  )
  const { payload } = await admin.message('all')
  t.ok(['READY', 'SHIPPED'].includes(String(payload['status'])))
  if (payload['status'] === 'READY') t.match((await admin.message('all')).payload, { status: 'SHIPPED' })
})

await t.test('on a single node the queue of dead letters is a classic one', async (t) => {
  const rabbit = await useRabbitMq(t)
  const own = await useRelay(t, { RABBITMQ_STOMP_URL: rabbit.stompUrl, RABBITMQ_AMQP_URL: rabbit.amqpUrl })
  const service = await StompClient.connect(t, own.url, { login: 'orders' })
  await service.ask('SEND', ['destination', '/queue/user'], 'no order')
  let rows = ''
  await until(async () => {
    rows = await rabbit.ctl(
      'list_queues',
      '-p',
      rabbit.vhost,
      'name',
      'type',
      'messages',
      '--no-table-headers',
    )
    return rows.includes('user.dead-letter')
  })
  t.match(rows, /^user\.dead-letter\tclassic\t/m)
  const admin = await StompClient.connect(t, own.url, { login: 'admin' })
  await admin.subscribe('dead', '/queue/user.dead-letter')
  await admin.next('MESSAGE')
})
