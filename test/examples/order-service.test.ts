import t from 'tap'
import { StompClient } from '../support/stomp-client.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { runExample } from './run-example.ts'

const { stompUrl, amqpUrl } = await useRabbitMq(t)
const relay = await useRelay(t, { RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl })
const env = { RABBITMQ_STOMP_URL: stompUrl }

await t.test('an order published to RabbitMQ reaches its owner', async (t) => {
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  await bob.subscribe('orders', '/user/queue/orders')
  const example = runExample(t, ['order-service.ts', 'o-7', 'bob', 'SHIPPED', 'by bicycle'], env)
  const { code, errors } = await example.ended
  t.equal(code, 0, errors)
  t.same(example.lines.items, ['RabbitMQ has order o-7 of bob: SHIPPED'])
  const { payload } = await bob.message('orders')
  t.match(payload, { orderId: 'o-7', userId: 'bob', status: 'SHIPPED', note: 'by bicycle' })
})

await t.test('an order that does not validate reaches nobody but the dead letters', async (t) => {
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await admin.subscribe('dead', '/queue/user.dead-letter')
  const example = runExample(t, ['order-service.ts', 'o-8', 'bob', 'LOST'], env)
  t.equal((await example.ended).code, 0)
  const { frame, payload } = await admin.message('dead')
  t.match(payload, { orderId: 'o-8', status: 'LOST' })
  t.match(frame.headers.join(' '), /x-dead-letter-reason invalid-payload/)
})

await t.test('says how it is used where it is given no order', async (t) => {
  const { code, errors } = await runExample(t, ['order-service.ts'], env).ended
  t.equal(code, 64)
  t.match(errors, /^usage: /)
})
