import type { RoundFigures } from '../measure/round.ts'
import { spread, summarize } from '../measure/rounds.ts'
import type { Row } from '../scenarios/row.ts'
import { isSameLoad } from './targets.ts'

/** Of two checkouts on the same machine; more than this beyond the spread of both is a fault. */
const ALLOWED = 0.1

export interface Slowdown {
  readonly text: string
  readonly isFault: boolean
}

/** Compares the rows of `relay`, `relay+sqlite`, … with those of the base, load by load. */
export function slowdowns(rows: readonly Row[], baseName: string): readonly Slowdown[] {
  return rows
    .filter((row) => /^relay(\+|$)/.test(row.contestant) && row.rounds.length > 0)
    .flatMap((relay) => {
      const name = relay.contestant.replace('relay', baseName)
      const base = rows.find((row) => isSameLoad(row, relay) && row.contestant === name)
      if (base === undefined || base.rounds.length === 0) return []
      return [
        compare(relay, base, {
          what: 'deliveries/s',
          pick: (r) => r.deliveriesPerSecond,
          isMoreBetter: true,
        }),
        compare(relay, base, {
          what: 'CPU per delivery',
          pick: (r) => r.cpuUsPerDelivery.total,
          isMoreBetter: false,
        }),
      ]
    })
}

interface Figure {
  readonly what: string
  readonly pick: (round: RoundFigures) => number
  readonly isMoreBetter: boolean
}

function compare(relay: Row, base: Row, figure: Figure): Slowdown {
  const ours = summarize(relay.rounds.map(figure.pick))
  const theirs = summarize(base.rounds.map(figure.pick))
  const slower = figure.isMoreBetter ? theirs.median / ours.median - 1 : ours.median / theirs.median - 1
  const noise = Math.max(spread(ours), spread(theirs))
  const isFault = slower > ALLOWED + noise
  const text =
    `${relay.scenario} N=${relay.subscribers} ${relay.contestant} ${figure.what}: ${slower > 0 ? 'worse' : 'better'} by ` +
    `${percent(Math.abs(slower))} than ${base.contestant}, spread ±${percent(noise)}${isFault ? ': SLOWER' : ''}`
  return { text, isFault }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
