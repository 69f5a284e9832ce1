import { parseArgs } from 'node:util'
import { Teardown } from '../../src/lib/teardown.ts'
import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { churnTable, runChurn } from './churn-run.ts'

/*
 * Shows that nothing is left of clients that came and went:
 *
 *   npm run churn -- [--visits 20000] [--warm-up 2500]
 *
 * Prints what RabbitMQ and the relay hold before and after, and ends with exit code 1 where they differ or
 * the heap has grown by more than 10 %.
 */
const { values } = parseArgs({
  options: {
    visits: { type: 'string', default: '20000' },
    'warm-up': { type: 'string', default: '2500' },
  },
})

const teardown = new Teardown()
const t = { teardown: (fn: () => Promise<void>): void => teardown.add(fn) }
try {
  const report = await runChurn(t, {
    visits: Number(values.visits),
    warmUp: Number(values['warm-up']),
    rabbit: await useOwnRabbitMq(t),
    say: (line) => console.error(line),
  })
  console.log(`\n${churnTable(report)}\n`)
  for (const fault of report.faults) console.log(`FAULT ${fault}`)
  console.log(report.faults.length === 0 ? 'all is as it was' : `${report.faults.length} faults`)
  process.exitCode = report.faults.length === 0 ? 0 : 1
} finally {
  await teardown.run()
}
