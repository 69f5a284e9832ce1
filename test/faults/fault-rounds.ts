import { holesOf, type FaultNode } from './fault-node.ts'
import type { FaultReport } from './fault-report.ts'
import type { Traffic } from './traffic.ts'

export interface Rounds {
  readonly fault: string
  readonly nodes: readonly FaultNode[]
  readonly traffic: Traffic
  readonly messages: number
  readonly rounds: number
  /**
   * Strikes nodes that are up, and heals what does not heal by itself. Resolves when they have noticed, with
   * the time of the last blow, or of its healing, by `performance.now()`.
   */
  strike(round: number): Promise<number>
  /** Whether all has to arrive before the next round: where that takes longer than publishing. */
  readonly isSettledEachRound?: boolean
}

/** Strikes once in the middle of each round of messages; the next begins when all is up again. */
export async function strikeInRounds(options: Rounds): Promise<FaultReport> {
  const { fault, nodes, traffic, messages, rounds } = options
  let lastBlowMs = 0
  for (let round = 0; round < rounds; round += 1) {
    const saying = traffic.say(messages / rounds)
    await saying.half
    lastBlowMs = await options.strike(round)
    await saying.all
    await Promise.all(nodes.map((node) => node.untilUp()))
    if (options.isSettledEachRound === true) await traffic.arrived()
  }
  await traffic.arrived()
  const recoveryMs = performance.now() - lastBlowMs
  const receptions = await traffic.receptions()
  return { fault, published: traffic.published, receptions, recoveryMs, holes: holesOf(nodes) }
}
