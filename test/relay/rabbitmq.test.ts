import { connect } from 'amqplib'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { publishByStomp } from '../support/stompit.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { conversation } from './conversation.ts'

const { stompUrl, amqpUrl } = await useRabbitMq(t)
const env = { AUTH_JWT_SECRET: TEST_SECRET, RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl }
const relay = await useRelay(t, env)

await conversation(t, { ...relay, adminToken: await testToken('root', 'admin') })

await t.test('what another STOMP client publishes to RabbitMQ directly arrives too', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.subscribe('s', '/topic/prices.#')
  await publishByStomp(stompUrl, { destination: '/topic/prices.tea', 'x-color': 'red' }, 'three')
  const { headers, body } = await service.next('MESSAGE')
  t.equal(Buffer.from(body).toString(), 'three')
  t.equal(header(headers, 'destination'), '/topic/prices.tea')
  t.equal(header(headers, 'x-color'), 'red')
})

await t.test('an order service may publish by STOMP over TCP, and by AMQP', async (t) => {
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  await bob.subscribe('orders', '/user/queue/orders')
  const order = { orderId: 'tcp-1', userId: 'bob', status: 'PLACED' }
  await publishByStomp(stompUrl, { destination: '/queue/user' }, JSON.stringify(order))
  t.match((await bob.message('orders')).payload, order)
  const connection = await connect(amqpUrl)
  const channel = await connection.createConfirmChannel()
  channel.sendToQueue('user', Buffer.from(JSON.stringify({ ...order, orderId: 'amqp-1' })))
  await channel.waitForConfirms()
  await connection.close()
  t.match((await bob.message('orders')).payload, { orderId: 'amqp-1' })
})

await t.test('a message to a user reaches their sessions on another node', async (t) => {
  const other = await useRelay(t, env)
  const bob = await StompClient.connect(t, other.url, { login: 'bob' })
  await bob.subscribe('n', '/user/queue/notifications')
  await bob.subscribe('m', '/topic/messages')
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.ask('SEND', ['destination', '/user/bob/queue/notifications'], '{"title":"across"}')
  t.same((await bob.message('n')).payload, { title: 'across' })
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"to the other node"}')
  t.match((await bob.message('m')).payload, { content: 'to the other node' })
})
