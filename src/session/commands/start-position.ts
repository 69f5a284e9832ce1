import { header, type HeaderList } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import type { Recovery, RecoveryFailure, StartPosition } from '../../fanout/replay.ts'
import { formatEventId } from '../../../protocol/event-id.ts'

/** Events that `history` may ask for. */
export const MAX_HISTORY = 1000

const WHY: Readonly<Record<RecoveryFailure, string>> = {
  'history-trimmed': 'what came after that event is not kept any more',
  'unknown-epoch': 'that event id is of another stream, or of an earlier life of this one',
  malformed: 'that is no event id of this stream',
  'not-a-stream': 'events of this destination are not stored',
}

/**
 * Where a SUBSCRIBE wants to begin, by `last-event-id` or else `history` (CONTRACT, section 6).
 *
 * @throws MessageError `invalid-header` where `history` is no whole number from 0 to MAX_HISTORY
 */
export function startPosition(headers: HeaderList): StartPosition | undefined {
  const eventId = header(headers, 'last-event-id')
  if (eventId !== undefined) return { kind: 'event-id', eventId }
  const history = header(headers, 'history')
  if (history === undefined) return undefined
  const count = /^\d{1,9}$/.test(history) ? Number(history) : Infinity
  if (count > MAX_HISTORY) {
    throw new MessageError('invalid-header', `history must be a whole number from 0 to ${MAX_HISTORY}`)
  }
  return { kind: 'history', count }
}

/** The SUBSCRIBE's headers without those that only the relay understands. */
export function withoutStart(headers: HeaderList): HeaderList {
  return headers.filter((_, i) => !OURS.has(headers[i - (i % 2)]))
}

const OURS: ReadonlySet<string | undefined> = new Set(['last-event-id', 'history'])

/** What the RECEIPT of a SUBSCRIBE says of where it began. */
export function recoveryHeaders({ position, recovered, reason }: Recovery): string[] {
  return [
    ...(recovered === undefined ? [] : ['recovered', String(recovered)]),
    ...(reason === undefined ? [] : ['reason', reason]),
    ...(position === undefined ? [] : ['event-id', formatEventId(position.epoch, position.offset)]),
  ]
}

/** For people: why a client has to reload. */
export function recoveryMessage(reason: RecoveryFailure): string {
  return `only new events follow: ${WHY[reason]}`
}
