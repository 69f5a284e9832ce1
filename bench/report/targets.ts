import { summarize } from '../measure/rounds.ts'
import type { RoundFigures } from '../measure/round.ts'
import type { Row } from '../scenarios/row.ts'

/** One claim about the relay against another contestant of the same load. */
export interface Ratio {
  readonly scenario: string
  readonly subscribers: number
  readonly text: string
  readonly value: number
  /** Undefined where no target is set for this load. */
  readonly isMet?: boolean
}

interface Target {
  readonly scenario: string
  readonly contestant: string
  readonly against: string
  readonly what: string
  readonly pick: (round: RoundFigures) => number
  /** Without it the figure is printed and judged by nobody. */
  readonly goal?: Goal
}

interface Goal {
  readonly text: string
  readonly isMet: (value: number) => boolean
  /** The target holds from this number of subscribers up, or only there. */
  readonly applies: (subscribers: number) => boolean
}

const TARGETS: readonly Target[] = [
  {
    scenario: 'fan-out',
    contestant: 'relay',
    against: 'web-stomp',
    what: 'deliveries/s',
    pick: (round) => round.deliveriesPerSecond,
    goal: {
      text: '>= 15 at N = 500, reach for 30',
      isMet: (value) => value >= 15,
      applies: (subscribers) => subscribers === 500,
    },
  },
  {
    scenario: 'fan-out',
    contestant: 'relay',
    against: 'web-stomp',
    what: 'CPU per delivery',
    pick: (round) => round.cpuUsPerDelivery.total,
    goal: {
      text: '<= 1/40 at N = 500, reach for 1/80',
      isMet: (value) => value <= 1 / 40,
      applies: (subscribers) => subscribers === 500,
    },
  },
  {
    scenario: 'fan-out',
    contestant: 'relay',
    against: 'raw-ws',
    what: 'own CPU per delivery, without the broker',
    pick: (round) => round.cpuUsPerDelivery.relay,
    goal: {
      text: '<= 1.25 at N >= 500',
      isMet: (value) => value <= 1.25,
      applies: (subscribers) => subscribers >= 500,
    },
  },
  {
    scenario: 'fan-out-paced',
    contestant: 'relay',
    against: 'web-stomp',
    what: 'CPU per delivery',
    pick: (round) => round.cpuUsPerDelivery.total,
    goal: {
      text: '<= 1/8 at N = 500',
      isMet: (value) => value <= 1 / 8,
      applies: (subscribers) => subscribers === 500,
    },
  },
  ...storing('relay+sqlite', 'relay+unstored', { isPromised: true }),
  ...storing('relay+sqlite', 'relay+transient', { isPromised: false }),
  ...storing('relay+postgres', 'relay+unstored', { isPromised: true }),
  ...storing('relay+postgres', 'relay+transient', { isPromised: false }),
  ...storing('memory+sqlite', 'memory+unstored', { isPromised: false }),
]

function storing(
  contestant: string,
  against: string,
  { isPromised }: { readonly isPromised: boolean },
): readonly Target[] {
  const goal: Goal = {
    text: '>= 0.8 at N = 100',
    isMet: (value) => value >= 0.8,
    applies: (subscribers) => subscribers === 100,
  }
  const row = { scenario: 'chat', contestant, against }
  return [
    {
      ...row,
      what: 'deliveries/s',
      pick: (round) => round.deliveriesPerSecond,
      ...(isPromised ? { goal } : {}),
    },
    { ...row, what: 'CPU per delivery', pick: (round) => round.cpuUsPerDelivery.total },
  ]
}

/** This project's rows against the others, wherever both were measured; medians of their rounds. */
export function ratios(rows: readonly Row[]): readonly Ratio[] {
  return TARGETS.flatMap((target) =>
    rows
      .filter((row) => row.scenario === target.scenario && row.contestant === target.contestant)
      .flatMap((ours) => {
        const other = rows.find((row) => isSameLoad(row, ours) && row.contestant === target.against)
        const isMeasured = ours.rounds.length > 0 && other !== undefined && other.rounds.length > 0
        return isMeasured ? [ratio(target, ours, other)] : []
      }),
  )
}

export function isSameLoad(a: Row, b: Row): boolean {
  return a.scenario === b.scenario && a.subscribers === b.subscribers
}

function ratio(target: Target, ours: Row, other: Row): Ratio {
  const { what, against, goal, pick } = target
  const value = summarize(ours.rounds.map(pick)).median / summarize(other.rounds.map(pick)).median
  const { scenario, subscribers, contestant } = ours
  const shown = value >= 0.5 ? `${value.toFixed(2)} x` : `1/${(1 / value).toFixed(1)} of`
  const head = `${contestant} has ${shown} the ${what} of ${against}`
  if (goal === undefined || !goal.applies(subscribers)) return { scenario, subscribers, value, text: head }
  const isMet = goal.isMet(value)
  const text = `${head} (target ${goal.text}: ${isMet ? 'met' : 'MISSED'})`
  return { scenario, subscribers, value, isMet, text }
}
