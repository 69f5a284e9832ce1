import { formatEventId, parseEventId, streamEpoch, type EventId } from './event-id.ts'

/** Positions of more streams than anybody unites are no vector of ours. */
const MAX_POSITIONS = 16
const MAX_LENGTH = 2048

/** What a vector says of the streams it was asked about. */
export interface VectorReading {
  /** The event id for each stream, in the order asked; undefined where the vector does not name it. */
  readonly eventIds: readonly (string | undefined)[]
  /** Whether it also names streams that were not asked about. */
  readonly namesOthers: boolean
}

/**
 * The id of an event on a connection that unites several streams: the event id of the last event of
 * each that was sent on it, with commas between. Each id knows its stream by its epoch, so the order
 * means nothing. Opaque to clients.
 */
export function formatEventVector(positions: readonly EventId[]): string {
  return positions.map(({ epoch, offset }) => formatEventId(epoch, offset)).join(',')
}

/**
 * Finds in a vector, or in the event id of a single stream, the id that each stream can be resumed
 * with. An id of an earlier epoch is found too: whether it still means something the stream knows.
 * Undefined for what `formatEventVector` does not write.
 */
export function readEventVector(text: string, streams: readonly string[]): VectorReading | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const parts = text.split(',')
  if (parts.length > MAX_POSITIONS) return undefined
  const eventIds: (string | undefined)[] = streams.map(() => undefined)
  let namesOthers = false
  for (const part of parts) {
    const id = parseEventId(part)
    if (id === undefined) return undefined
    const i = streams.findIndex((stream, at) => eventIds[at] === undefined && isOf(stream, id))
    if (i < 0) namesOthers = true
    else eventIds[i] = part
  }
  return { eventIds, namesOthers }
}

/** Whatever the life of the store, the epoch ends with the hash of the stream's name. */
function isOf(stream: string, { epoch }: EventId): boolean {
  return epoch.endsWith(streamEpoch('', stream))
}
