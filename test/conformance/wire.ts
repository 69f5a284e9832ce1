/** A frame as it stands on the wire: nothing is unescaped. */
export interface WireFrame {
  readonly command: string
  /** Name, value, name, value, … */
  readonly headers: readonly string[]
  readonly body: Buffer
}

const NUL = 0
const LF = 10

/** The first value of a header, still escaped (STOMP 1.2, "Repeated Header Entries"). */
export function rawHeader(frame: WireFrame, name: string): string | undefined {
  const at = frame.headers.findIndex((part, i) => i % 2 === 0 && part === name)
  return at < 0 ? undefined : frame.headers[at + 1]
}

/** Bytes of a frame; nothing is escaped. A body gets a `content-length` unless the headers hold one. */
export function wireBytes(
  command: string,
  headers: readonly string[] = [],
  body?: string | Uint8Array,
): Buffer {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body)
  const isCounted = body === undefined || headers.includes('content-length')
  const all = isCounted ? headers : [...headers, 'content-length', String(bytes.length)]
  const lines = all.map((part, i) => (i % 2 === 0 ? `${part}:` : `${part}\n`))
  return Buffer.concat([Buffer.from(`${command}\n${lines.join('')}\n`), bytes, Buffer.of(NUL)])
}

/**
 * Reads server frames, whatever the pieces. On purpose not the codec of `protocol/`, so that the two
 * cannot be wrong in the same way; it believes what it reads, as a test's peer may.
 */
export class WireReader {
  readonly #onFrame: (frame: WireFrame) => void
  readonly #onBeat: () => void
  #held = Buffer.alloc(0)

  constructor(sink: { onFrame: (frame: WireFrame) => void; onBeat: () => void }) {
    this.#onFrame = sink.onFrame
    this.#onBeat = sink.onBeat
  }

  read(chunk: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, chunk])
    while (this.#readOne()) {
      // One frame or line end a turn.
    }
  }

  #readOne(): boolean {
    const held = this.#held
    if (held[0] === LF) {
      this.#onBeat()
      this.#held = held.subarray(1)
      return true
    }
    const headEnd = held.indexOf('\n\n')
    if (headEnd < 0) return false
    const [command = '', ...lines] = held.toString('utf8', 0, headEnd).split('\n')
    const headers = lines.flatMap((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    })
    const from = headEnd + 2
    const length = rawHeader({ command, headers, body: held }, 'content-length')
    const to = length === undefined ? held.indexOf(NUL, from) : from + Number(length)
    if (to < 0 || to >= held.length) return false
    this.#held = held.subarray(to + 1)
    this.#onFrame({ command, headers, body: Buffer.from(held.subarray(from, to)) })
    return true
  }
}
