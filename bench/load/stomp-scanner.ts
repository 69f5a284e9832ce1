export interface StompSink {
  /** A MESSAGE; its body begins at `bodyStart` and has `bodyLength` bytes. */
  onStompMessage(bytes: Buffer, bodyStart: number, bodyLength: number): void
  /** Any other frame: its command and its text, header block and body alike. */
  onStompOther(command: string, text: string): void
}

const LF = 10
const CR = 13
const LETTER_M = 77
const BLANK_LINE = Buffer.from('\n\n')
const BLANK_LINE_CRLF = Buffer.from('\r\n\r\n')

/**
 * Finds the STOMP frames of one WebSocket message, one or several. Not a decoder: it relies on bodies
 * without NUL, as all bodies of the benchmarks are, and on frames that end with their WebSocket
 * message. The MESSAGEs of a subscription have header blocks and bodies of nearly one length, so the
 * last lengths are tried first.
 */
export class StompScanner {
  readonly #sink: StompSink
  #lastHeaderBytes = 0
  #lastBodyBytes = 0

  constructor(sink: StompSink) {
    this.#sink = sink
  }

  /** @throws Error where a frame does not end within the WebSocket message */
  scan(bytes: Buffer, start: number, end: number): void {
    let position = start
    while (position < end) {
      const byte = bytes[position]!
      position = byte === LF || byte === CR ? position + 1 : this.#scanFrame(bytes, position, end)
    }
  }

  #scanFrame(bytes: Buffer, start: number, end: number): number {
    if (bytes[start] === LETTER_M && this.#isAtLastLengths(bytes, start, end)) {
      const bodyStart = start + this.#lastHeaderBytes
      this.#sink.onStompMessage(bytes, bodyStart, this.#lastBodyBytes)
      return bodyStart + this.#lastBodyBytes + 1
    }
    const bodyStart = findBody(bytes, start, end)
    const bodyEnd = bytes.indexOf(0, bodyStart)
    if (bodyEnd === -1 || bodyEnd >= end)
      throw new Error('a STOMP frame does not end with its WebSocket message')
    const command = bytes.toString('latin1', start, bytes.indexOf(LF, start)).trim()
    if (command === 'MESSAGE') {
      this.#lastHeaderBytes = bodyStart - start
      this.#lastBodyBytes = bodyEnd - bodyStart
      this.#sink.onStompMessage(bytes, bodyStart, bodyEnd - bodyStart)
    } else this.#sink.onStompOther(command, bytes.toString('utf8', start, bodyEnd))
    return bodyEnd + 1
  }

  // Neither headers nor bodies of ours hold an empty line, so one in the right place proves
  // where the body begins; and a NUL behind it, where it ends.
  #isAtLastLengths(bytes: Buffer, start: number, end: number): boolean {
    const bodyStart = start + this.#lastHeaderBytes
    return (
      this.#lastHeaderBytes !== 0 &&
      bodyStart + this.#lastBodyBytes < end &&
      bytes[bodyStart + this.#lastBodyBytes] === 0 &&
      bytes[bodyStart - 1] === LF &&
      bytes[bodyStart - 2] === LF
    )
  }
}

// The first line's end tells which kind to look for: looking for one that is not there would go
// through all that follows in the buffer.
function findBody(bytes: Buffer, start: number, end: number): number {
  const blankLine = bytes[bytes.indexOf(LF, start) - 1] === CR ? BLANK_LINE_CRLF : BLANK_LINE
  const at = bytes.indexOf(blankLine, start)
  if (at === -1 || at >= end) throw new Error('a STOMP frame without an end to its headers')
  return at + blankLine.length
}
