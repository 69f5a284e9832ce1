import { parseArgs } from 'node:util'
import { Teardown } from '../../src/lib/teardown.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { runBulkOrders } from './bulk-orders.ts'

/*
 * Changes many orders in one operation, on two nodes, one of which is killed in the middle:
 *
 *   npm run bulk-orders -- [--orders 100000]
 *
 * Ends with exit code 1 where an order was changed, told of or notified other than once, or the progress fell.
 */
const { values } = parseArgs({ options: { orders: { type: 'string', default: '100000' } } })

const teardown = new Teardown()
const t = { teardown: (fn: () => void | Promise<void>): void => teardown.add(async () => fn()) }
try {
  const [DATABASE_URL, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
  const report = await runBulkOrders(t, {
    orders: Number(values.orders),
    urls: { DATABASE_URL, RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl },
    say: (line) => console.error(line),
  })
  const { seconds, told, doneAtKill, faults } = report
  console.log(
    `${values.orders} orders in ${seconds.toFixed(1)} s, told ${told} times, its node killed at ${doneAtKill}`,
  )
  for (const fault of faults) console.log(`FAULT ${fault}`)
  console.log(faults.length === 0 ? 'each order changed once' : `${faults.length} faults`)
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await teardown.run()
}
