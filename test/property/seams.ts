import type { Recovery } from '../../src/fanout/replay.ts'
import type { RelayNode } from './relay-node.ts'
import type { Session } from './session.ts'
import type { Tally } from './tally.ts'
import type { Truth } from './truth.ts'
import type { Begin } from './visit.ts'

/** What was to be seen when a reader asked for its stream. */
export interface Glance {
  readonly begin: Begin
  /** Events known of then. */
  readonly count: number
  readonly isMoved: boolean
  /** Whether it had nothing but the place that a RECEIPT said. */
  readonly hasReceiptOnly: boolean
  readonly isAhead: boolean
}

/** @returns whether others on this node have not been sent yet what the reader has */
export function isAheadOf(node: RelayNode, stream: string, begin: Begin): boolean {
  if (begin.kind !== 'resume') return false
  const here = [...node.clients].filter((client) => client.stream === stream && client.isAttached)
  return here.some(({ session }) => (session.offsets.at(-1) ?? Infinity) < begin.last)
}

/** Counts which seams a reader went over that has its RECEIPT now. */
export function countSeams(
  { tally, truth, stream }: { tally: Tally; truth: Truth; stream: string },
  glance: Glance,
  { recovery, session }: { recovery: Recovery; session: Session },
): void {
  const { begin } = glance
  const hasGrown = truth.count(stream) > glance.count
  if (recovery.reason !== undefined) tally.hit(`not recovered: ${recovery.reason}`)
  if (begin.kind === 'history') tally.hit('history')
  if (begin.kind === 'fresh' && recovery.position?.offset === 0) tally.hit('began fresh on an empty stream')
  if (begin.kind === 'fresh' && hasGrown) tally.hit('began fresh among writes')
  if (begin.kind !== 'resume') return
  const replayed = session.offsets.length
  const met = {
    resumed: true,
    'resumed on another node': glance.isMoved,
    'resumed from its receipt': glance.hasReceiptOnly,
    'resumed while writes ran': hasGrown,
    'resumed ahead of the gate': glance.isAhead,
    'resumed with nothing missed': replayed === 0,
    'replay of several pages': replayed > 100,
  } as const
  for (const name of Object.keys(met) as (keyof typeof met)[]) if (met[name]) tally.hit(name)
}
