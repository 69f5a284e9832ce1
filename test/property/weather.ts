import type { Chance } from './chance.ts'

/** What a run is like. Probabilities are of each single message, question or write. */
export interface Weather {
  /**
   * Whether hubs compare heads at intervals. Without it nothing is lost silently, and whatever is
   * stored must arrive by the relay or by a hole that was told: so that comparison hides no other fault.
   */
  readonly compares: boolean
  /** Whether old events are trimmed. */
  readonly trims: boolean
  /** Bytes added to some events. */
  readonly padding: number
  /** What becomes of a message on its way to one node. */
  readonly links: Readonly<Record<Fate, number>>
  /** What the broker says to the publisher. */
  readonly broker: Readonly<Record<Answer, number>>
  readonly store: {
    readonly slow: number
    readonly readFails: number
    readonly commitFails: number
    readonly commitAnswerLost: number
  }
  readonly watchRefused: number
}

export type Fate = 'now' | 'delay' | 'double' | 'hold' | 'lose' | 'loseSilently'
export type Answer = 'at once' | 'late' | 'lost' | 'refused'

export function weatherOf(chance: Chance): Weather {
  const compares = chance.is(0.6)
  const isCalm = chance.is(0.25)
  const some = (most: number): number => (isCalm ? 0 : chance.next() * most)
  const silently = compares ? some(0.15) : 0
  return {
    compares,
    trims: compares && chance.is(0.4),
    padding: chance.is(0.2) ? 15_000 : 0,
    links: {
      now: 1,
      delay: some(1),
      double: some(0.3),
      hold: some(1),
      lose: some(0.15),
      loseSilently: silently,
    },
    broker: { 'at once': 1, late: some(1), lost: some(0.15), refused: some(0.15) },
    store: {
      slow: chance.next() * 0.5,
      // What was asked for when a hole was told is asked for again at the next interval only.
      readFails: compares ? some(0.03) : 0,
      commitFails: some(0.05),
      commitAnswerLost: compares ? some(0.05) : 0,
    },
    watchRefused: some(0.1),
  }
}
