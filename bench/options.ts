import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly scenarios: readonly string[]
  readonly contestants: readonly string[]
  /** They were asked for by name, so that one that does not start is a failure. */
  readonly areContestantsNamed: boolean
  /** Undefined: the scenario's own. */
  readonly subscriberCounts?: readonly number[]
  readonly rounds: number
  readonly warmUpMs: number
  readonly measureMs: number
  /** Unfinished messages in saturated rows. */
  readonly window: number
  /** Messages a second in paced rows; by default half of what `web-stomp` sustained. */
  readonly rate?: number
  /** What `raw-ws` is told where the relay is not measured beside it. */
  readonly framesPerWrite: number
  /** Least payload of a `raw-ws` frame; 0 leaves the bare body of 128 bytes. */
  readonly rawFrameBytes: number
  readonly generators: number
  readonly jsonFile?: string
  readonly against?: string
  /** Where this project's servers leave CPU profiles. */
  readonly profileDir?: string
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const USAGE = `npm run bench -- [SCENARIO …] [options]
  --contestants a,b   of the registered ones (default: all that can be started)
  --n 10,100,500      numbers of subscribers (default: the scenario's own)
  --rounds 3          rounds, taken in turn
  --seconds 4         measured per round, after --warm-up 1
  --window 50         unfinished messages in saturated rows
  --rate R            messages a second in paced rows (default: half of what web-stomp sustains)
  --generators 1      processes for the subscribers
  --frames-per-write 1  for raw-ws where relay is not among the contestants
  --raw-bytes 0       pads the frames of raw-ws to as many bytes as the relay's have
  --json FILE         where the result goes (default: bench/results/SCENARIOS.json)
  --profile DIR       CPU profiles of this project's servers, one a server
  --against BASE      compares with the relay of another commit; a slowdown above 10 % fails`

const CONFIG = {
  contestants: { type: 'string' },
  n: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '4' },
  'warm-up': { type: 'string', default: '1' },
  window: { type: 'string', default: '50' },
  rate: { type: 'string' },
  generators: { type: 'string' },
  'frames-per-write': { type: 'string', default: '1' },
  'raw-bytes': { type: 'string' },
  json: { type: 'string' },
  against: { type: 'string' },
  profile: { type: 'string' },
} as const

export interface KnownNames {
  readonly scenarios: readonly string[]
  readonly contestants: readonly string[]
}

/** @throws UsageError with a sentence for the person who typed it */
export function readOptions(args: readonly string[], known: KnownNames): BenchOptions {
  const { values, positionals } = parse(args)
  const generators = availableParallelism() > 4 ? '2' : '1'
  return {
    scenarios: positionals.length === 0 ? known.scenarios : names(positionals, known.scenarios, 'scenario'),
    contestants:
      values.contestants === undefined
        ? known.contestants
        : names(values.contestants.split(','), known.contestants, 'contestant'),
    areContestantsNamed: values.contestants !== undefined,
    rounds: integer(values.rounds, '--rounds', 100),
    warmUpMs: positive(values['warm-up'], '--warm-up') * 1000,
    measureMs: positive(values.seconds, '--seconds') * 1000,
    window: integer(values.window, '--window', 10_000),
    framesPerWrite: integer(values['frames-per-write'], '--frames-per-write', 10_000),
    rawFrameBytes:
      values['raw-bytes'] === undefined ? 0 : integer(values['raw-bytes'], '--raw-bytes', 65_535),
    generators: integer(values.generators ?? generators, '--generators', 64),
    ...(values.n === undefined ? {} : { subscriberCounts: integers(values.n, '--n', 100_000) }),
    ...(values.rate === undefined ? {} : { rate: positive(values.rate, '--rate') }),
    ...(values.json === undefined ? {} : { jsonFile: values.json }),
    ...(values.profile === undefined ? {} : { profileDir: resolve(values.profile) }),
    ...(values.against === undefined ? {} : { against: values.against }),
  }
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof CONFIG; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: CONFIG, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function names(wanted: readonly string[], known: readonly string[], what: string): readonly string[] {
  const unknown = wanted.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new UsageError(`no ${what} ${unknown.join(', ')}; there are ${known.join(', ')}`)
  // The registry's order, because a later contestant may need an earlier one's figures.
  return known.filter((name) => wanted.includes(name))
}

function integers(text: string, option: string, max: number): readonly number[] {
  return text.split(',').map((part) => integer(part, option, max))
}

function integer(text: string, option: string, max: number): number {
  const value = positive(text, option)
  if (!Number.isInteger(value) || value > max)
    throw new UsageError(`${option} takes whole numbers from 1 to ${max}`)
  return value
}

function positive(text: string, option: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new UsageError(`${option} takes numbers above 0, not "${text}"`)
  return value
}
