import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { runBulkOrders } from './bulk-orders.ts'

// `npm run bulk-orders` does it with 100,000.
t.setTimeout(240_000)

await t.test('3,000 orders change once each, though the node that changes them is killed', async (t) => {
  const [DATABASE_URL, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
  const urls = { DATABASE_URL, RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl }
  const report = await runBulkOrders(t, { orders: 3000, urls, say: (line) => t.comment(line) })
  t.same(report.faults, [])
  t.ok(report.told > 3)
})
