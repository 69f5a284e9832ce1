import { recordText, type IsolationFigures } from '../scenarios/isolation-figures.ts'
import type { Row } from '../scenarios/row.ts'
import type { Ratio } from './targets.ts'

/** What each crime did to the p99 of those who had no part in it. A must. */
export function isolationClaims(rows: readonly Row[]): readonly Ratio[] {
  return rows.flatMap(({ scenario, subscribers, isolation }) =>
    isolation === undefined
      ? []
      : [
          {
            scenario,
            subscribers,
            value: isolation.during.p99 / isolation.without.p99,
            isMet: isolation.isMet,
            text: claimText(isolation),
          },
        ],
  )
}

/** What became of the criminals, a line each. */
export function crimeLines(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ isolation }) =>
    isolation === undefined ? [] : [`${isolation.crime} did, and came by: ${recordText(isolation.record)}`],
  )
}

function claimText({ crime, without, during, limitMs, isMet, rounds }: IsolationFigures): string {
  const ms = (value: number): string => value.toFixed(1)
  const spread = rounds.min === rounds.max ? '' : `, rounds ${ms(rounds.min)} to ${ms(rounds.max)}`
  return (
    `${crime}: p50 ${ms(without.p50)} -> ${ms(during.p50)} ms, p99 ${ms(without.p99)} -> ${ms(during.p99)} ms ` +
    `(must: <= max(2 x, + 20 ms) = ${ms(limitMs)}: ${isMet ? 'met' : 'MISSED'}${spread})`
  )
}
