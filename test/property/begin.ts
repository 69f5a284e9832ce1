import { formatEventId, streamEpoch } from '../../protocol/event-id.ts'
import type { Chance } from './chance.ts'
import type { Begin } from './visit.ts'

export interface Reading {
  readonly chance: Chance
  readonly storeEpoch: string
  readonly stream: string
  /** Whose ids are taken for those of the stream at times. */
  readonly otherStream: string
  /** What the reader has; undefined where it never was here. */
  readonly last: number | undefined
  /** Whether it wants no more than to have all. */
  readonly isEarnest: boolean
  /** Whether it has forgotten its last events at times, so that it asks for some that may be gone. */
  readonly isForgetful: boolean
}

/** How a reader asks for a stream. */
export function chooseBegin(reading: Reading): Begin {
  const { chance, storeEpoch, stream, last, isEarnest } = reading
  if (last === undefined) return chance.is(0.7) ? { kind: 'fresh' } : history(chance)
  const epoch = streamEpoch(storeEpoch, stream)
  const weights = { resume: 0.75, history: 0.08, fresh: 0.05, wrong: 0.12 }
  switch (isEarnest ? 'resume' : chance.weighted(weights)) {
    case 'fresh':
      return { kind: 'fresh' }
    case 'history':
      return history(chance)
    case 'wrong':
      return wrong(reading, epoch)
    case 'resume':
      return resume(epoch, reading.isForgetful && chance.is(0.3) ? chance.between(0, last) : last)
  }
}

function resume(epoch: string, last: number): Begin {
  return { kind: 'resume', last, from: { kind: 'event-id', eventId: formatEventId(epoch, last) } }
}

function history(chance: Chance): Begin {
  const count = chance.pick([0, 1, 3, 10, 150])
  return { kind: 'history', count, from: { kind: 'history', count } }
}

function wrong({ chance, storeEpoch, otherStream }: Reading, epoch: string): Begin {
  const some = chance.between(0, 9)
  const [eventId, reason] = chance.pick([
    [formatEventId(streamEpoch(storeEpoch, otherStream), some), 'unknown-epoch'],
    [formatEventId(`old${epoch}`, some), 'unknown-epoch'],
    [formatEventId(epoch, 1_000_000 + some), 'malformed'],
    ['nonsense', 'malformed'],
    [formatEventId(epoch, some), 'not-a-stream'],
  ] as const)
  return { kind: 'wrong', reason, from: { kind: 'event-id', eventId } }
}
