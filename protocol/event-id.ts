/** A place in a stream: its offset, within one life of the store. */
export interface EventId {
  readonly epoch: string
  /** 1, 2, 3, … */
  readonly offset: number
}

/** `EPOCH:OFFSET`, as the header `event-id` and SSE ids say it. Opaque to clients. */
export function formatEventId(epoch: string, offset: number): string {
  return `${epoch}:${offset}`
}

/** Undefined for whatever `formatEventId` does not write. */
export function parseEventId(text: string): EventId | undefined {
  const [, epoch, digits] = /^([A-Za-z0-9_-]{1,64}):([1-9][0-9]{0,15})$/.exec(text) ?? []
  const offset = Number(digits)
  return epoch !== undefined && Number.isSafeInteger(offset) ? { epoch, offset } : undefined
}
