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
import { crimeLines, isolationClaims } from './report/isolation-table.ts'
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
  const scenarios = options.scenarios.map((name) => SCENARIOS[name]!)
  const chosen = registeredContestants(repository, nodeArgs).filter(
    (contestant) =>
      options.contestants.includes(contestant.name) &&
      scenarios.some((scenario) => scenario.isPlayedBy(contestant)),
  )
  if (chosen.some(({ database }) => database !== undefined)) await buildCheckout(repository)
  const base = options.against === undefined ? undefined : await checkOutBase(repository, options.against)
  const running: Running[] = []
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void putAway(running, base).finally(() => process.exit(1)))
  }
  try {
    const notRun: string[] = []
    for (const contestant of withBase(chosen, base)) {
      const started = await tryStart(contestant, options)
      if (typeof started === 'string') notRun.push(started)
      else running.push([contestant, started])
    }
    return await report(options, { running, notRun, rows: await runScenarios(options, running) })
  } finally {
    await putAway(running, base)
  }
}

/** Resolves with the reason where the contestant cannot be started and nobody asked for it by name. */
async function tryStart(contestant: Contestant, options: BenchOptions): Promise<RunningContestant | string> {
  say(`starting ${contestant.name}`)
  try {
    return await contestant.start()
  } catch (error) {
    if (options.areContestantsNamed) throw error
    return `${contestant.name}: not run: ${String(error)}`
  }
}

async function putAway(running: readonly Running[], base: BaseCheckout | undefined): Promise<void> {
  await Promise.all(running.map(async ([, contestant]) => contestant.stop()))
  await base?.remove()
}

// Next to the relay, so that the two take their turns one after the other.
function withBase(chosen: readonly Contestant[], base: BaseCheckout | undefined): readonly Contestant[] {
  if (base === undefined) return chosen
  const options = { name: BASE_NAME, checkout: base.dir, broker: 'rabbitmq', database: 'sqlite' } as const
  return [relay({ ...options, nodeArgs: [] }), ...chosen]
}

async function runScenarios(options: BenchOptions, running: readonly Running[]): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const name of options.scenarios) {
    const scenario = SCENARIOS[name]!
    const contestants = running
      .filter(([contestant]) => scenario.isPlayedBy(contestant))
      .map(([contestant, started]) => ({
        name: contestant.name,
        database: contestant.database,
        running: started,
      }))
    await scenario.run({ options, contestants, rows, say })
  }
  return rows
}

interface Outcome {
  readonly running: readonly Running[]
  /** Contestants that could not be started, with the reason. */
  readonly notRun: readonly string[]
  readonly rows: readonly Row[]
}

async function report(options: BenchOptions, { running, notRun, rows }: Outcome): Promise<boolean> {
  const rabbitmq = running.find(([, { rabbitmqVersion }]) => rabbitmqVersion !== undefined)?.[1]
    .rabbitmqVersion
  const machine = describeMachine(rabbitmq ?? '-')
  const notes = running.map(([{ name, notes: settings }]) => ({ name, settings }))
  const claims = [...ratios(rows), ...isolationClaims(rows)]
  const comparison = options.against === undefined ? [] : slowdowns(rows, BASE_NAME)
  const failures = rows.flatMap((row) =>
    row.failures.map((reason) => `${row.scenario} N=${row.subscribers} ${row.contestant}: ${reason}`),
  )
  console.log(
    `\n${machineLine(machine)}\nmedians of ${options.rounds} rounds taken in turn\n\n${table(rows)}\n`,
  )
  const lines = [
    ...claims.map(({ scenario, subscribers, text }) => `${scenario} N=${subscribers}: ${text}`),
    ...crimeLines(rows),
    ...comparison.map(({ text }) => text),
    ...notes
      .filter(({ settings }) => settings.length > 0)
      .map(({ name, settings }) => `${name}: ${settings.join(', ')}`),
    ...notRun,
    ...failures.map((failure) => `FAILED ${failure}`),
  ]
  console.log(lines.join('\n'))
  const file = options.jsonFile ?? join(repository, 'bench/results', `${options.scenarios.join('+')}.json`)
  await mkdir(dirname(file), { recursive: true })
  const result = {
    at: new Date().toISOString(),
    machine,
    options,
    contestants: notes,
    notRun,
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
