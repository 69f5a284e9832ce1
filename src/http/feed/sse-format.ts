import type { FanoutMessage } from '../../fanout/fanout-message.ts'
import type { FeedEvent } from './feed.ts'

/** A comment, which readers ignore, so that whatever lies between sees that the stream is alive. */
export const KEEP_ALIVE: Uint8Array = Buffer.from(': keep-alive\n\n')

const NEW_LINE = /\r\n|\r|\n/

/** What follows the id is the same for all who get a message: it is made once. */
const tails = new WeakMap<FanoutMessage, Buffer>()

/** Events as `text/event-stream` (HTML standard, section 9.2.6), in one piece. */
export function renderEvents(events: readonly FeedEvent[]): Uint8Array {
  return Buffer.concat(events.flatMap((event) => [Buffer.from(`id: ${event.id}\n`), tailOf(event)]))
}

/** An event of our own. @param id where it has one to resume with */
export function renderEvent(name: string, data: object, id?: string): Uint8Array {
  const head = id === undefined ? '' : `id: ${id}\n`
  return Buffer.from(`${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}

/** Tells how long to wait before a lost connection is made again. */
export function renderRetry(retryMs: number): Uint8Array {
  return Buffer.from(`retry: ${retryMs}\n\n`)
}

function tailOf({ event, message }: FeedEvent): Buffer {
  let tail = tails.get(message)
  if (tail === undefined) {
    tail = Buffer.from(`event: ${event}\n${dataLines(textOf(message))}\n`)
    tails.set(message, tail)
  }
  return tail
}

/** What a client sent may hold line ends, and must not begin a field of its own. */
function dataLines(text: string): string {
  return text
    .split(NEW_LINE)
    .map((line) => `data: ${line}\n`)
    .join('')
}

/** The body as text; what is not UTF-8 is replaced. */
export function textOf({ delivery: { body } }: FanoutMessage): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
}
