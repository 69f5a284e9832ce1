import type { Version } from '../../protocol/version.ts'
import { versionsOf, type ConformanceCase } from './conformance-case.ts'
import { Deviation } from './deviation.ts'
import type { Target } from './target.ts'
import { Trial } from './trial.ts'

/** Cases under way at once: heart-beats take long, and little else does. */
const AT_ONCE = 6

export interface Outcome {
  readonly id: string
  readonly version: Version
  /** What the server did instead; undefined where it did what it must. */
  readonly deviation: string | undefined
}

/** Runs every case that applies to the server, in each of its versions. In the order of the cases. */
export async function runCases(
  cases: readonly ConformanceCase[],
  target: Target,
): Promise<readonly Outcome[]> {
  const work = cases
    .filter(({ needs }) => needs.every((extension) => target.offers.has(extension)))
    .flatMap((one) => versionsOf(one).map((version) => ({ one, version })))
  const outcomes: Outcome[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < work.length; i = next++) {
      const { one, version } = work[i]!
      outcomes[i] = { id: one.id, version, deviation: await deviationOf(one, target, version) }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return outcomes
}

async function deviationOf(
  one: ConformanceCase,
  target: Target,
  version: Version,
): Promise<string | undefined> {
  const trial = new Trial(target, version)
  try {
    await one.run(trial)
    return undefined
  } catch (error) {
    if (error instanceof Deviation) return error.message
    throw error
  } finally {
    trial.end()
  }
}
