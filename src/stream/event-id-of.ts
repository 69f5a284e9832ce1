import { formatEventId, streamEpoch } from '../../protocol/event-id.ts'

/** The id under which clients know an event. */
export function eventIdOf(storeEpoch: string, event: { stream: string; offset: number }): string {
  return formatEventId(streamEpoch(storeEpoch, event.stream), event.offset)
}
