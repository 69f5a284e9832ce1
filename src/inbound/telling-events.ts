import { ROOM_SIGHT_MARKS } from '../../protocol/payload/room-change.ts'

const decoder = new TextDecoder()
const marks = ROOM_SIGHT_MARKS.map((mark) => Buffer.from(mark))

/** Whether an event of an order may be one of another owner. */
export function tellsOfOtherOwner(body: Uint8Array, user: string): boolean {
  try {
    const event: unknown = JSON.parse(decoder.decode(body))
    const isObject = typeof event === 'object' && event !== null
    return !isObject || !('userId' in event) || event.userId !== user
  } catch {
    return true
  }
}

/**
 * Whether an event of a room says who may see it. Looked for in the text, since each message comes by here for
 * each of its readers; what somebody writes cannot look like it, as quotes in it are escaped.
 */
export function tellsOfSight(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return marks.some((mark) => bytes.includes(mark))
}
