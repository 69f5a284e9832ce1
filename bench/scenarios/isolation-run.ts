import { setTimeout as delay } from 'node:timers/promises'
import { ChildChannel } from '../child-channel.ts'
import type { RunningContestant } from '../contestants/contestant.ts'
import type { Crime } from '../crimes/crime.ts'
import type { CrimeRecord } from '../crimes/scene.ts'
import type { FromCriminal, ToCriminal } from '../load/criminal-messages.ts'
import { faultsSince } from '../load/delivery-checker.ts'
import { LoadGroup, type LoadSetting } from '../load/load-group.ts'
import { addCounts, type LatencyCounts } from '../measure/latency-histogram.ts'
import { figures, takeSample, type RoundDurations, type RoundFigures } from '../measure/round.ts'
import { siblingModule } from '../sibling-module.ts'
import { commitAlarm } from './alarm-crime.ts'
import { isolationFigures, type IsolationFigures } from './isolation-figures.ts'

export interface IsolationSetting {
  readonly load: LoadSetting
  readonly crimes: readonly Crime[]
  readonly durations: RoundDurations
  /** How often all of them are committed, one after the other. Default once. */
  readonly rounds?: number
  /** After a crime, until its traces are gone. */
  readonly settleMs: number
  /** Whether RabbitMQ's memory alarm is one of the crimes, where it can be raised. Default true. */
  readonly hasAlarm?: boolean
}

/** One crime among well-behaved clients, or their last word on all of it. */
export interface IsolationRound {
  readonly crime: string
  readonly round: RoundFigures
  readonly isolation?: IsolationFigures
}

/** Names that the criminal goes by: a session limit is for a name. */
const PEOPLE = 20
/** Limits are for an address, and nobody well-behaved shares that of a criminal. */
const CRIMINAL_ADDRESS = '127.0.0.2'
const PREPARE_TIMEOUT_MS = 120_000
const DESIST_TIMEOUT_MS = 30_000

interface Phase {
  readonly round: RoundFigures
  readonly latency: LatencyCounts
}

/**
 * Well-behaved clients at a fixed rate, all the while; beside them one crime after the other, with a rest
 * in between in which their latency is measured without any.
 *
 * @param tell called with each outcome as soon as it is known
 */
export async function runIsolation(
  contestant: RunningContestant,
  setting: IsolationSetting,
  tell: (outcome: IsolationRound) => void,
): Promise<void> {
  const group = await LoadGroup.connect(contestant, setting.load)
  try {
    group.go()
    await new IsolationRun(contestant, setting, group).run(tell)
  } finally {
    await group.close()
  }
}

class IsolationRun {
  readonly #contestant: RunningContestant
  readonly #setting: IsolationSetting
  readonly #group: LoadGroup

  constructor(contestant: RunningContestant, setting: IsolationSetting, group: LoadGroup) {
    this.#contestant = contestant
    this.#setting = setting
    this.#group = group
  }

  async run(tell: (outcome: IsolationRound) => void): Promise<void> {
    const { settleMs, rounds = 1 } = this.#setting
    await delay(settleMs)
    let before = await this.#measure()
    tell({ crime: 'nothing', round: before.round })
    for (let round = 0; round < rounds; round++) before = await this.#commitAll(before, tell)
    // What was lost last of all shows by nothing but the number that was published.
    const result = await this.#group.finish()
    tell({ crime: 'all of it', round: { ...before.round, ...result } })
  }

  /** @returns the last phase, without any crime */
  async #commitAll(first: Phase, tell: (outcome: IsolationRound) => void): Promise<Phase> {
    const { crimes, settleMs, hasAlarm = true } = this.#setting
    let before = first
    const acts: (readonly [name: string, act: () => Promise<Committed>])[] = crimes.map((crime) => [
      crime.name,
      async () => this.#commit(crime),
    ])
    const ctl = this.#contestant.ctl?.bind(this.#contestant)
    if (ctl !== undefined && hasAlarm) acts.push(['memory-alarm', async () => this.#alarm(ctl)])
    for (const [name, act] of acts) {
      const { phase, record } = await act()
      await delay(settleMs)
      const after = await this.#measure()
      const latency = { without: addCounts(before.latency, after.latency), during: phase.latency }
      tell({ crime: name, round: phase.round, isolation: isolationFigures(name, latency, record) })
      before = after
    }
    return before
  }

  async #commit(crime: Crime): Promise<Committed> {
    const criminal = ChildChannel.fork<ToCriminal, FromCriminal>(
      siblingModule(import.meta.url, '../load/criminal-process'),
    )
    try {
      const { subscribers, publishers } = this.#setting.load
      const as = { first: subscribers + publishers, role: crime.role } as const
      const people = await this.#contestant.connectHeaders(PEOPLE, as)
      const endpoint = { ...this.#contestant.access.subscribeEndpoint, localAddress: CRIMINAL_ADDRESS }
      criminal.send({ type: 'prepare', crime: crime.name, endpoint, people })
      await criminal.next('prepared', PREPARE_TIMEOUT_MS)
      const phase = await this.#measure(async () => {
        criminal.send({ type: 'commit' })
        await criminal.next('begun')
      })
      criminal.send({ type: 'desist' })
      const { record } = await criminal.next('record', DESIST_TIMEOUT_MS)
      return { phase, record }
    } finally {
      await criminal.stop()
    }
  }

  async #alarm(ctl: NonNullable<RunningContestant['ctl']>): Promise<Committed> {
    const record = await commitAlarm(ctl, this.#group, this.#setting.durations.measureMs)
    return { phase: await this.#measure(), record }
  }

  /** @param begin what is measured from its first moment on; resolves when it is well under way */
  async #measure(begin: () => Promise<void> = async () => Promise.resolve()): Promise<Phase> {
    const before = await takeSample(this.#contestant, this.#group)
    await Promise.all([begin(), delay(this.#setting.durations.measureMs)])
    const after = await takeSample(this.#contestant, this.#group)
    const faults = faultsSince(before.load.faults, after.load.faults)
    // What is under way at this moment is judged at the end.
    const result = {
      faults,
      isDrained: true,
      hasHeldBack: after.load.hasHeldBack && !before.load.hasHeldBack,
    }
    return { round: figures(before, after, result), latency: after.load.latency }
  }
}

interface Committed {
  readonly phase: Phase
  readonly record: CrimeRecord
}
