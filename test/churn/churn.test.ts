import t from 'tap'
import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { churnTable, runChurn } from './churn-run.ts'

// Few visits, so that a leak shows by what is counted one by one; a slow one of the heap is for `npm run churn`.
t.setTimeout(600_000)

await t.test('nothing is left of clients that came and went', async (t) => {
  const rabbit = await useOwnRabbitMq(t)
  const report = await runChurn(t, { visits: 600, warmUp: 200, rabbit, say: (line) => t.comment(line) })
  t.comment(`\n${churnTable(report)}`)
  t.same(report.faults, [])
})
