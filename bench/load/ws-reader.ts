/** What a reader hands on. `bytes` is valid during the call only: copy what must stay. */
export interface WsSink {
  onMessage(bytes: Buffer, start: number, end: number): void
  onPing(payload: Buffer): void
  onClose(code: number, reason: string): void
}

/** The server sent what this reader does not take; the run is not valid. */
export class WsReadError extends Error {}

const EMPTY = Buffer.alloc(0)

/**
 * Reads the frames of a WebSocket server (RFC 6455, section 5.2) from any split of its bytes. Takes
 * what the servers measured here send: unmasked, unfragmented, no extensions. Payloads are not copied
 * unless a read ended within a frame.
 */
export class WsReader {
  readonly #sink: WsSink
  readonly #maxFrameBytes: number
  #rest: Buffer = EMPTY

  constructor(sink: WsSink, maxFrameBytes = 1_048_576) {
    this.#sink = sink
    this.#maxFrameBytes = maxFrameBytes
  }

  /** @throws WsReadError on a frame this reader does not take */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let position = 0
    while (position < bytes.length) {
      const next = this.#readFrame(bytes, position)
      if (next === -1) break
      position = next
    }
    this.#rest = position === bytes.length ? EMPTY : Buffer.from(bytes.subarray(position))
  }

  /** Returns where the next frame begins, or -1 where this one is not complete. */
  #readFrame(bytes: Buffer, start: number): number {
    if (bytes.length - start < 2) return -1
    const first = bytes[start]!
    if ((first & 0x70) !== 0) throw new WsReadError('a frame uses an extension')
    if ((first & 0x80) === 0 || (first & 0x0f) === 0) throw new WsReadError('a message is fragmented')
    if ((bytes[start + 1]! & 0x80) !== 0) throw new WsReadError('a server frame is masked')
    const headerBytes = headerLength(bytes[start + 1]!)
    const payloadStart = start + headerBytes
    if (payloadStart > bytes.length) return -1
    const length = payloadLength(bytes, start, headerBytes)
    if (length > this.#maxFrameBytes) throw new WsReadError(`a frame of ${length} bytes`)
    const end = payloadStart + length
    if (end > bytes.length) return -1
    this.#dispatch(first & 0x0f, bytes, payloadStart, end)
    return end
  }

  // Opcodes of RFC 6455, section 11.8.
  #dispatch(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode <= 0x2) this.#sink.onMessage(bytes, start, end)
    else if (opcode === 0x9) this.#sink.onPing(bytes.subarray(start, end))
    else if (opcode === 0x8) {
      const code = end - start >= 2 ? bytes.readUInt16BE(start) : 1005
      this.#sink.onClose(code, bytes.toString('utf8', Math.min(start + 2, end), end))
    } else if (opcode !== 0xa) throw new WsReadError(`opcode ${opcode}`)
  }
}

function headerLength(lengthByte: number): number {
  if (lengthByte < 126) return 2
  return lengthByte === 126 ? 4 : 10
}

function payloadLength(bytes: Buffer, start: number, headerBytes: number): number {
  if (headerBytes === 2) return bytes[start + 1]!
  if (headerBytes === 4) return bytes.readUInt16BE(start + 2)
  return bytes.readUInt32BE(start + 2) * 0x1_0000_0000 + bytes.readUInt32BE(start + 6)
}
