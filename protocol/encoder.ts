import { type Dialect, dialectOf, escape, escapeName } from './escape.ts'
import { type Command, type HeaderList } from './frame.ts'
import { borrowUtf8, encodeUtf8 } from './utf8.ts'
import type { Version } from './version.ts'

/** What either side writes when it has nothing to say (STOMP 1.2, "Heart-beating"). */
export const HEART_BEAT = encodeUtf8('\n')

/**
 * One frame on the wire: `content-length` for a frame with a body (a given one is replaced), NUL at the
 * end, no line feed after it. Headers with an empty name are left out. What a version cannot express
 * (a NUL; a carriage return before 1.2; a line feed in 1.0) becomes a space.
 */
export function encodeFrame(
  command: Command,
  headers: HeaderList,
  body: Uint8Array | undefined,
  version: Version,
): Uint8Array {
  const lines = headerLines(headers, dialectOf(command, version))
  if (body === undefined) return borrowUtf8(`${command}\n${lines}\n\0`).slice()
  return withBody(borrowUtf8(`${command}\n${lines}content-length:${body.length}\n\n`), body)
}

/** A MESSAGE that differs between subscribers in `subscription` only: the rest is encoded once. */
export class SharedMessage {
  readonly #headers: HeaderList
  readonly #body: Uint8Array
  readonly #tails = new Map<Dialect, Uint8Array>()
  #last:
    { readonly subscriptionId: string; readonly version: Version; readonly bytes: Uint8Array } | undefined

  /** @param headers without `subscription`; neither they nor the body may change any more */
  constructor(headers: HeaderList, body: Uint8Array) {
    this.#headers = headers
    this.#body = body
  }

  /** The frame for one subscription. Equal calls in a row get the same bytes: read them, never write. */
  encodeFor(subscriptionId: string, version: Version): Uint8Array {
    const last = this.#last
    if (last?.subscriptionId === subscriptionId && last.version === version) return last.bytes
    const dialect = dialectOf('MESSAGE', version)
    const bytes = this.#encode(`MESSAGE\nsubscription:${escape(subscriptionId, dialect)}\n`, dialect)
    this.#last = { subscriptionId, version, bytes }
    return bytes
  }

  #encode(head: string, dialect: Dialect): Uint8Array {
    const headBytes = borrowUtf8(head)
    const tail = this.#tails.get(dialect)
    if (tail !== undefined) return joined(headBytes, tail)
    const { length } = headBytes
    const lines = headerLines(this.#headers, dialect)
    const bytes = withBody(borrowUtf8(`${head}${lines}content-length:${this.#body.length}\n\n`), this.#body)
    // All but the head serves the next subscribers, as a view on the first one's frame.
    this.#tails.set(dialect, bytes.subarray(length))
    return bytes
  }
}

function headerLines(headers: HeaderList, dialect: Dialect): string {
  let lines = ''
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]
    if (name === undefined || name === '' || name === 'content-length') continue
    lines += `${escapeName(name, dialect)}:${escape(headers[i + 1] ?? '', dialect)}\n`
  }
  return lines
}

/** Head, body, NUL (a fresh array is all NULs already). */
function withBody(head: Uint8Array, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + body.length + 1)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}
