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
  readonly against: string
  readonly what: string
  readonly pick: (round: RoundFigures) => number
  readonly goal: string
  readonly isMet: (value: number) => boolean
  /** The target holds from this number of subscribers up, or only there. */
  readonly applies: (subscribers: number) => boolean
}

const TARGETS: readonly Target[] = [
  {
    scenario: 'fan-out',
    against: 'web-stomp',
    what: 'deliveries/s',
    pick: (round) => round.deliveriesPerSecond,
    goal: '>= 15 at N = 500, reach for 30',
    isMet: (value) => value >= 15,
    applies: (subscribers) => subscribers === 500,
  },
  {
    scenario: 'fan-out',
    against: 'web-stomp',
    what: 'CPU per delivery',
    pick: (round) => round.cpuUsPerDelivery.total,
    goal: '<= 1/40 at N = 500, reach for 1/80',
    isMet: (value) => value <= 1 / 40,
    applies: (subscribers) => subscribers === 500,
  },
  {
    scenario: 'fan-out',
    against: 'raw-ws',
    what: 'own CPU per delivery, without the broker',
    pick: (round) => round.cpuUsPerDelivery.relay,
    goal: '<= 1.25 at N >= 500',
    isMet: (value) => value <= 1.25,
    applies: (subscribers) => subscribers >= 500,
  },
  {
    scenario: 'fan-out-paced',
    against: 'web-stomp',
    what: 'CPU per delivery',
    pick: (round) => round.cpuUsPerDelivery.total,
    goal: '<= 1/8 at N = 500',
    isMet: (value) => value <= 1 / 8,
    applies: (subscribers) => subscribers === 500,
  },
]

/** `relay` against the others, wherever both were measured; medians of their rounds. */
export function ratios(rows: readonly Row[]): readonly Ratio[] {
  return rows
    .filter((row) => row.contestant === 'relay' && row.rounds.length > 0)
    .flatMap((relay) =>
      TARGETS.filter((target) => target.scenario === relay.scenario).flatMap((target) => {
        const other = rows.find((row) => isSameLoad(row, relay) && row.contestant === target.against)
        return other === undefined || other.rounds.length === 0 ? [] : [ratio(target, relay, other)]
      }),
    )
}

export function isSameLoad(a: Row, b: Row): boolean {
  return a.scenario === b.scenario && a.subscribers === b.subscribers
}

function ratio(target: Target, relay: Row, other: Row): Ratio {
  const value =
    summarize(relay.rounds.map(target.pick)).median / summarize(other.rounds.map(target.pick)).median
  const { scenario, subscribers } = relay
  const shown = value >= 0.5 ? `${value.toFixed(2)} x` : `1/${(1 / value).toFixed(1)} of`
  const head = `relay has ${shown} the ${target.what} of ${target.against}`
  if (!target.applies(subscribers)) return { scenario, subscribers, value, text: head }
  const isMet = target.isMet(value)
  return {
    scenario,
    subscribers,
    value,
    isMet,
    text: `${head} (target ${target.goal}: ${isMet ? 'met' : 'MISSED'})`,
  }
}
