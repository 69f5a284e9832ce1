/** A place in a stream: its offset, within one life of the store. */
export interface EventId {
  /** `streamEpoch` of the stream. */
  readonly epoch: string
  /** 1, 2, 3, … of events; 0 is the place before the first. */
  readonly offset: number
}

const EVENT_ID = /^([A-Za-z0-9_-]{1,64}):(0|[1-9][0-9]{0,15})$/
/** FNV-1a, 32 bit. */
const FNV_OFFSET_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * What stands before the colon of a stream's event ids: the store's epoch, and a hash of the stream's
 * name, by which an id is known that a client took from another stream.
 */
export function streamEpoch(storeEpoch: string, stream: string): string {
  let hash = FNV_OFFSET_BASIS
  for (let i = 0; i < stream.length; i++) {
    hash = Math.imul(hash ^ stream.charCodeAt(i), FNV_PRIME)
  }
  return storeEpoch + (hash >>> 0).toString(36).padStart(7, '0')
}

/** `EPOCH:OFFSET`, as the header `event-id` and SSE ids say it. Opaque to clients. */
export function formatEventId(epoch: string, offset: number): string {
  return `${epoch}:${offset}`
}

/** Undefined for whatever `formatEventId` does not write. */
export function parseEventId(text: string): EventId | undefined {
  const [, epoch, digits] = EVENT_ID.exec(text) ?? []
  const offset = Number(digits)
  return epoch !== undefined && Number.isSafeInteger(offset) ? { epoch, offset } : undefined
}
