import process from 'node:process'
import { parseArgs } from 'node:util'
import { Teardown } from '../../src/lib/teardown.ts'
import { FAULTS } from './faults.ts'
import { faultTable, type FaultReport } from './fault-report.ts'
import { wrongsOf, type Fault } from './fault.ts'

const USAGE = `npm run faults -- [--only NAME] [--short]

Does to the relay what networks and brokers do, on servers that it starts itself, and prints what became of
the messages. Exit code 1 where any was lost, doubled or out of order that should not be.

  --only NAME   ${FAULTS.map(({ name }) => name).join(', ')}
  --short       as few messages as in npm test
`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
})

async function runFault(fault: Fault): Promise<{ report: FaultReport; wrongs: readonly string[] }> {
  const size = values.short ? fault.short : fault.long
  const teardown = new Teardown()
  const stage = { teardown: (step: () => Promise<void>) => teardown.add(async () => step()) }
  try {
    const report = await fault.run(stage, size)
    return { report, wrongs: wrongsOf(fault, size, report) }
  } finally {
    await teardown.run()
  }
}

async function main(faults: readonly Fault[]): Promise<void> {
  const wrongs: string[] = []
  for (const fault of faults) {
    process.stderr.write(`${fault.name} …\n`)
    try {
      const outcome = await runFault(fault)
      process.stdout.write(`${faultTable([outcome.report])}\n`)
      wrongs.push(...outcome.wrongs)
    } catch (error) {
      wrongs.push(`${fault.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const wrong of wrongs) process.stdout.write(`WRONG ${wrong}\n`)
  process.exitCode = wrongs.length === 0 ? 0 : 1
}

const chosen = FAULTS.filter(({ name }) => values.only === undefined || name === values.only)
if (values.help === true || chosen.length === 0) {
  process.stderr.write(USAGE)
  process.exitCode = values.help === true ? 0 : 2
} else {
  await main(chosen)
}
