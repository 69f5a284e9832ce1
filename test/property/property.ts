import { randomInt } from 'node:crypto'
import process from 'node:process'
import type { Test } from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { BrokerUrls } from '../../rabbitmq/private-node.ts'
import type { Between, BetweenParts } from './between.ts'
import { Bus } from './bus.ts'
import { Chance } from './chance.ts'
import { RabbitMqBetween } from './rabbitmq-between.ts'
import { run } from './run.ts'
import { EXPECTED, Tally } from './tally.ts'
import type { Name } from './world.ts'

export interface PropertyParts {
  /** For the report: `sqlite`. */
  readonly database: string
  /** An empty database. Its runs go on one after the other, beside those of other databases. */
  readonly openDatabase: () => Promise<string>
  /** Databases used at once. */
  readonly lanes: number
  /** Without `RUNS` in the environment. */
  readonly runs: number
  /** RabbitMQ between the nodes; without it a bus that does worse than RabbitMQ ever would. */
  readonly rabbitMq?: BrokerUrls
}

/** `RUNS` of any number may take long. */
export const LONG_MS = numberFrom('RUNS') === undefined ? 900_000 : 7_200_000

const NAMES = ['node-1', 'node-2', 'node-3', 'node-4']
/** For the servers of this process to end. */
const GOODBYE_MS = 20_000
/** So many more than planned, where something rare has not come yet. */
const PATIENCE = 3

/** From the environment: `SEED`, `RUNS`, and `ONLY`, the number of one run that is repeated `RUNS` times. */
function numberFrom(variable: string): number | undefined {
  const text = process.env[variable]
  return text === undefined || text === '' ? undefined : Number(text)
}

/**
 * Drives many runs, and fails with the first one that goes wrong, or if any fault or seam was never hit.
 * A seed repeats all choices; the machine decides what they meet with.
 */
export async function everyReaderHasEachEventOnce(t: Test, parts: PropertyParts): Promise<void> {
  const { rabbitMq } = parts
  const database = rabbitMq === undefined ? parts.database : `${parts.database} and RabbitMQ`
  const expected = EXPECTED[rabbitMq === undefined ? 'bus' : 'rabbitMq']
  const between = (world: BetweenParts): Between =>
    rabbitMq === undefined ? new Bus(world) : new RabbitMqBetween(world, rabbitMq)
  const seed = numberFrom('SEED') ?? randomInt(2 ** 31)
  const runs = numberFrom('RUNS') ?? parts.runs
  t.comment(`SEED=${seed}: ${runs} runs on ${database}`)
  const tally = new Tally()
  const only = numberFrom('ONLY')
  const failures: string[] = []
  const beganAt = performance.now()
  let next = 0
  let count = 0
  const isEnough = (): boolean => {
    if (failures.length > 0) return true
    if (next < runs) return false
    return only !== undefined || tally.missing(expected).length === 0 || next >= runs * PATIENCE
  }
  const lane = async (): Promise<void> => {
    const names = await openNames(t, await parts.openDatabase())
    while (!isEnough()) {
      const number = only ?? next
      const name = `r${next}`
      next += 1
      const chance = new Chance(seed + number * 7919, rabbitMq === undefined ? 'quick' : 'slow')
      const faults = await run({ name, number, names, chance, tally, between })
      count += 1
      if (faults.length > 0) failures.push(`run ${number}`, ...faults.slice(0, 20), repeat(seed, number))
    }
  }
  await Promise.all(Array.from({ length: parts.lanes }, lane))
  t.comment(
    `SEED=${seed}: ${count} runs on ${database} in ${Math.round((performance.now() - beganAt) / 1000)} s`,
  )
  for (const line of tally.lines(expected)) t.comment(line)
  // The nodes of a run that hangs go on for ever, and the process with them.
  if (failures.length > 0) setTimeout(() => process.exit(), GOODBYE_MS).unref()
  t.strictSame(failures, [], 'every reader has each event of its stream once and in order')
  if (only === undefined) t.strictSame(tally.missing(expected), [], 'each fault and each seam was hit')
}

async function openNames(t: Test, url: string): Promise<readonly Name[]> {
  const names: Name[] = []
  for (const name of NAMES) {
    const store = await openStore({ url, nodeId: name, lock: false })
    t.teardown(() => store.close())
    names.push({ name, store, isTaken: false, wasUsed: '' })
  }
  return names
}

function repeat(seed: number, number: number): string {
  const file = process.argv[1] ?? ''
  return `to repeat: SEED=${seed} ONLY=${number} RUNS=200 node --import tsx ${file}`
}
