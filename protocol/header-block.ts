import { violation } from './errors.ts'
import { type Dialect, unescape } from './escape.ts'
import type { HeaderList } from './frame.ts'
import { decodeUtf8, decodeUtf8Loosely } from './utf8.ts'

const CR = 13

/**
 * The headers of a block that the decoder has checked line by line and that ends with an empty line.
 * @param isLenient see `DecoderOptions`
 * @throws ProtocolViolation `invalid-utf8`, `bad-escape`
 */
export function readHeaderBlock(block: Uint8Array, dialect: Dialect, isLenient: boolean): HeaderList {
  // One text for the whole block, cut into slices: several times faster than a decode for each header.
  const text = isLenient ? decodeUtf8Loosely(block) : decodeUtf8(block)
  if (text === undefined) throw violation('invalid-utf8')
  const headers: string[] = []
  let colon = -1
  for (let at = 0; ;) {
    const lineFeed = text.indexOf('\n', at)
    const end = text.charCodeAt(lineFeed - 1) === CR ? lineFeed - 1 : lineFeed
    if (end <= at) break
    // A colon beyond this line is kept for the next ones, or lines without any would cost a search each.
    if (colon < at) colon = indexOrEnd(text, ':', at)
    if (colon > at && colon < end) headers.push(text.slice(at, colon), text.slice(colon + 1, end))
    at = lineFeed + 1
  }
  if (dialect === 'plain' || !text.includes('\\')) return headers
  return headers.map((part) => unescape(part, dialect, isLenient))
}

/** Version 1.0 writes `name: value` (STOMP 1.0, "Commands and Headers"); RabbitMQ reads it the same way. */
export function withoutLeadingSpaces(headers: HeaderList): HeaderList {
  return headers.map((part, i) => (i % 2 === 1 ? part.replace(/^ +/, '') : part))
}

function indexOrEnd(text: string, sought: string, from: number): number {
  const at = text.indexOf(sought, from)
  return at === -1 ? text.length : at
}
