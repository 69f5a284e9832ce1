import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkOutBase, type BaseCheckout } from './base-checkout.ts'
import { buildCheckout } from './build-checkout.ts'
import type { Contestant, RunningContestant } from './contestants/contestant.ts'
import { registeredContestants } from './contestants/registry.ts'
import { relay } from './contestants/relay.ts'
import { describeMachine } from './measure/machine.ts'
import { readOptions, USAGE, UsageError, type BenchOptions } from './options.ts'
import { slowdowns } from './report/slowdown.ts'
import { hasFailed, machineLine, table } from './report/table.ts'
import { ratios } from './report/targets.ts'
import { SCENARIOS } from './scenarios/registry.ts'
import type { Row } from './scenarios/row.ts'

const BASE_NAME = 'base'
const repository = fileURLToPath(new URL('..', import.meta.url))
type Running = readonly [contestant: Contestant, running: RunningContestant]

/** Returns whether everything arrived as it should and nothing became slower than the base. */
async function bench(options: BenchOptions): Promise<boolean> {
  const nodeArgs =
    options.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`]
  const chosen = registeredContestants(repository, nodeArgs).filter(({ name }) =>
    options.contestants.includes(name),
  )
  if (chosen.some(({ name }) => name === 'relay' || name === 'memory')) await buildCheckout(repository)
  const base = options.against === undefined ? undefined : await checkOutBase(repository, options.against)
  const running: Running[] = []
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void putAway(running, base).finally(() => process.exit(1)))
  }
  try {
    for (const contestant of withBase(chosen, base)) {
      say(`starting ${contestant.name}`)
      running.push([contestant, await contestant.start()])
    }
    return await report(options, running, await runScenarios(options, running))
  } finally {
    await putAway(running, base)
  }
}

async function putAway(running: readonly Running[], base: BaseCheckout | undefined): Promise<void> {
  await Promise.all(running.map(async ([, contestant]) => contestant.stop()))
  await base?.remove()
}

// Next to the relay, so that the two take their turns one after the other.
function withBase(chosen: readonly Contestant[], base: BaseCheckout | undefined): readonly Contestant[] {
  if (base === undefined) return chosen
  return [relay({ name: BASE_NAME, checkout: base.dir, broker: 'rabbitmq', nodeArgs: [] }), ...chosen]
}

async function runScenarios(options: BenchOptions, running: readonly Running[]): Promise<readonly Row[]> {
  const rows: Row[] = []
  const contestants = running.map(([{ name }, contestant]) => [name, contestant] as const)
  for (const scenario of options.scenarios) await SCENARIOS[scenario]?.({ options, contestants, rows, say })
  return rows
}

async function report(
  options: BenchOptions,
  running: readonly Running[],
  rows: readonly Row[],
): Promise<boolean> {
  const rabbitmq = running.find(([, { rabbitmqVersion }]) => rabbitmqVersion !== undefined)?.[1]
    .rabbitmqVersion
  const machine = describeMachine(rabbitmq ?? '-')
  const notes = running.map(([{ name, notes: settings }]) => ({ name, settings }))
  const claims = ratios(rows)
  const comparison = options.against === undefined ? [] : slowdowns(rows, BASE_NAME)
  const failures = rows.flatMap((row) =>
    row.failures.map((reason) => `${row.scenario} N=${row.subscribers} ${row.contestant}: ${reason}`),
  )
  console.log(
    `\n${machineLine(machine)}\nmedians of ${options.rounds} rounds taken in turn\n\n${table(rows)}\n`,
  )
  for (const { scenario, subscribers, text } of claims) console.log(`${scenario} N=${subscribers}: ${text}`)
  for (const { text } of comparison) console.log(text)
  for (const { name, settings } of notes)
    if (settings.length > 0) console.log(`${name}: ${settings.join(', ')}`)
  for (const failure of failures) console.log(`FAILED ${failure}`)
  const file = options.jsonFile ?? join(repository, 'bench/results', `${options.scenarios.join('+')}.json`)
  await mkdir(dirname(file), { recursive: true })
  const result = {
    at: new Date().toISOString(),
    machine,
    options,
    contestants: notes,
    rows,
    ratios: claims,
    comparison,
  }
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`)
  say(`written to ${file}`)
  return !rows.some(hasFailed) && !comparison.some(({ isFault }) => isFault)
}

/** Progress goes to stderr, so that stdout is the report. */
function say(line: string): void {
  console.error(line)
}

try {
  const contestants = registeredContestants(repository).map(({ name }) => name)
  const known = { scenarios: Object.keys(SCENARIOS), contestants }
  const options = readOptions(process.argv.slice(2), known)
  process.exitCode = (await bench(options)) ? 0 : 1
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
