import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { startProcess } from '../support/child-process.ts'
import { TEST_SECRET } from '../support/token.ts'
import { everyPath } from './every-path.ts'
import { orderPassedOn } from './order-passed-on.ts'

const { stompUrl, amqpUrl } = await useRabbitMq(t)
const env = {
  AUTH_JWT_SECRET: TEST_SECRET,
  LIMIT_SUBSCRIPTIONS: '1000',
  DATABASE_URL: await usePostgres(t),
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
}
const [west, east] = await Promise.all(
  ['west', 'east'].map((name) => startProcess(t, { ...env, NODE_ID: name })),
)
await t.test('every way to data ends where the policy says', (t) => everyPath(t, east!))
await t.test('an order that is passed on takes its readers along', (t) => orderPassedOn(t, west!, east!))
