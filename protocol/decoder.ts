import { byteAt, ByteBuffer } from './byte-buffer.ts'
import { type CommandNode, commandTree } from './command-table.ts'
import { ProtocolViolation, violation } from './errors.ts'
import { dialectOf } from './escape.ts'
import { type Command, EMPTY_BODY, type Frame, header, type HeaderList } from './frame.ts'
import { readHeaderBlock, withoutLeadingSpaces } from './header-block.ts'
import { negotiateVersion, type Version } from './version.ts'

/** Bounds of one frame. What lies exactly on a bound passes. */
export interface DecoderLimits {
  /** From the first byte of the command to the NUL, both included. */
  readonly frameBytes: number
  /** Header lines of a frame, repeated ones included. */
  readonly headers: number
  /** One header line, its line end aside. */
  readonly headerBytes: number
}

/** Called synchronously, in the order of the bytes. Must not throw: that ends the decoder. */
export interface DecoderSink<C extends Command = Command> {
  /** The body may be a view on the chunk: it is valid for as long as the chunk is left alone. */
  onFrame(frame: Frame<C>): void
  /** An empty line between frames; at most once a chunk. */
  onHeartBeat(): void
}

export interface DecoderOptions<C extends Command = Command> {
  readonly limits: DecoderLimits
  /** What the peer may send. Pass the same array each time: it is prepared once. */
  readonly commands: readonly C[]
  readonly sink: DecoderSink<C>
  /**
   * For a broker, which passes on what strangers wrote: one odd message must not end the link for all.
   * Invalid UTF-8 becomes U+FFFD, an undefined escape stays as it is, a header line without a name or
   * a colon is left out. Limits and framing hold as ever.
   */
  readonly isLenient?: boolean
}

const NUL = 0
const LF = 10
const CR = 13
const COLON = 58

type Phase = 'between' | 'command' | 'headers' | 'counted-body' | 'open-body'

const WITH_BODY: ReadonlySet<Command> = new Set<Command>(['SEND', 'MESSAGE', 'ERROR'])

/**
 * Bytes in, frames out, whatever the pieces: a frame may come byte by byte, or many in one chunk. Every
 * byte is looked at once; a frame that lies whole in a chunk is not copied. What is wrong is refused at
 * the first byte that cannot be right, so that the outcome does not depend on how the bytes were cut.
 *
 * One method for each phase; each takes the position to go on from and returns where it stopped.
 * Positions are relative to the current chunk: those of an unfinished frame turn negative with the next.
 */
export class Decoder<C extends Command = Command> {
  /** How headers are escaped from the next frame on; the sink may set it within `onFrame`. */
  version: Version = '1.2'

  readonly #limits: DecoderLimits
  readonly #root: CommandNode
  readonly #sink: DecoderSink
  readonly #isLenient: boolean

  #phase: Phase = 'between'
  #isStopped = false
  #fault: ProtocolViolation | undefined
  #hasBeaten = false

  #frameStart = 0
  /** The last byte was a carriage return, which only a line feed may follow. */
  #sawCr = false
  #node: CommandNode
  #command: Command = 'SEND'
  #headers: HeaderList = []

  #lines = 0
  #lineStart = 0
  #lineHasColon = false
  /** Where in this chunk the part of the header block begins that is not held yet. */
  #blockStart = 0

  #bodyLength = 0
  /** Header block or body of an unfinished frame, as far as it came in earlier chunks. */
  readonly #held = new ByteBuffer()

  constructor(options: DecoderOptions<C>) {
    this.#limits = options.limits
    this.#root = commandTree(options.commands)
    this.#node = this.#root
    this.#sink = options.sink
    this.#isLenient = options.isLenient ?? false
  }

  /** Bytes of the frame that is under way. */
  get pendingBytes(): number {
    return this.#phase === 'between' ? 0 : -this.#frameStart
  }

  /** From now on bytes are ignored, the rest of the current chunk included. */
  stop(): void {
    this.#isStopped = true
    this.#release()
  }

  /** @throws ProtocolViolation and, after that, the same one at each call */
  decode(chunk: Uint8Array): void {
    if (this.#fault !== undefined) throw this.#fault
    try {
      this.#read(chunk)
    } catch (error) {
      this.#fault = error instanceof ProtocolViolation ? error : violation('internal')
      this.#release()
      throw error
    }
  }

  #read(chunk: Uint8Array): void {
    let at = 0
    this.#hasBeaten = false
    while (at < chunk.length && !this.#isStopped) {
      switch (this.#phase) {
        case 'between':
          at = this.#skipLineEnds(chunk, at)
          break
        case 'command':
          at = this.#readCommand(chunk, at)
          break
        case 'headers':
          at = this.#readHeaders(chunk, at)
          break
        case 'counted-body':
          at = this.#readCountedBody(chunk, at)
          break
        case 'open-body':
          at = this.#readOpenBody(chunk, at)
          break
      }
    }
    if (this.#phase === 'headers') this.#held.append(chunk, this.#blockStart, chunk.length)
    this.#blockStart = 0
    this.#lineStart -= chunk.length
    this.#frameStart -= chunk.length
  }

  #skipLineEnds(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === LF) {
        this.#sawCr = false
        if (!this.#hasBeaten) this.#sink.onHeartBeat()
        this.#hasBeaten = true
      } else if (byte === CR && !this.#sawCr) {
        this.#sawCr = true
      } else {
        // After a lone carriage return the first byte of the command is refused.
        this.#frameStart = at
        this.#node = this.#root
        this.#phase = 'command'
        return at
      }
    }
    return chunk.length
  }

  #readCommand(chunk: Uint8Array, from: number): number {
    let node = this.#node
    for (let at = from; at < chunk.length; at++) {
      const byte = byteAt(chunk, at)
      if (byte === LF && node.command !== undefined) return this.#beginHeaders(node.command, at + 1)
      if (byte === CR && node.command !== undefined && !this.#sawCr) {
        this.#sawCr = true
        continue
      }
      const next = this.#sawCr ? undefined : node.next[byte]
      if (next === undefined) throw violation('unknown-command')
      node = next
    }
    this.#node = node
    return chunk.length
  }

  #beginHeaders(command: Command, at: number): number {
    this.#command = command
    this.#phase = 'headers'
    this.#sawCr = false
    this.#lines = 0
    this.#lineStart = at
    this.#lineHasColon = false
    this.#blockStart = at
    return at
  }

  #readHeaders(chunk: Uint8Array, from: number): number {
    const { headers, headerBytes, frameBytes } = this.#limits
    const frameEnd = this.#frameStart + frameBytes
    const end = Math.min(chunk.length, frameEnd)
    let at = from
    let lineStart = this.#lineStart
    let lineHasColon = this.#lineHasColon
    while (at < end) {
      const lineEnd = lineStart + headerBytes
      if (this.#lines < headers && !this.#sawCr) {
        const stop = Math.min(end, lineEnd)
        while (at < stop && byteAt(chunk, at) > COLON) at++
        if (at === end) break
      }
      const byte = chunk[at]
      if (byte === LF) {
        if (at === lineStart || (this.#sawCr && at - 1 === lineStart)) return this.#endHeaders(chunk, at + 1)
        if (!lineHasColon && !this.#isLenient) throw violation('malformed-header')
        this.#lines++
        this.#sawCr = false
        lineStart = at + 1
        lineHasColon = false
      } else if (this.#sawCr || byte === NUL) {
        throw violation('malformed-header')
      } else if (byte === CR) {
        this.#sawCr = true
      } else if (this.#lines === headers) {
        throw violation('too-many-headers')
      } else if (at >= lineEnd) {
        throw violation('header-too-long')
      } else if (byte === COLON) {
        if (at === lineStart && !this.#isLenient) throw violation('malformed-header')
        lineHasColon = true
      }
      at++
    }
    if (at >= frameEnd) throw violation('frame-too-large')
    this.#lineStart = lineStart
    this.#lineHasColon = lineHasColon
    return at
  }

  #endHeaders(chunk: Uint8Array, at: number): number {
    this.#sawCr = false
    const block = this.#cut(chunk, this.#blockStart, at)
    this.#headers = this.#lines === 0 ? [] : this.#interpret(block)
    const length = contentLength(this.#headers)
    const hasBody = WITH_BODY.has(this.#command)
    if (!hasBody && length !== undefined && length > 0) throw violation('body-not-allowed')
    this.#bodyLength = length ?? 0
    if (at - this.#frameStart + this.#bodyLength + 1 > this.#limits.frameBytes)
      throw violation('frame-too-large')
    this.#phase = hasBody && length === undefined ? 'open-body' : 'counted-body'
    return at
  }

  #interpret(block: Uint8Array): HeaderList {
    const command = this.#command
    const headers = readHeaderBlock(block, dialectOf(command, this.version), this.#isLenient)
    const isConnect = command === 'CONNECT' || command === 'STOMP'
    const version = isConnect ? negotiateVersion(header(headers, 'accept-version')) : this.version
    return version === '1.0' ? withoutLeadingSpaces(headers) : headers
  }

  #readCountedBody(chunk: Uint8Array, at: number): number {
    const end = at + this.#bodyLength - this.#held.length
    if (end >= chunk.length) {
      this.#held.append(chunk, at, chunk.length)
      return chunk.length
    }
    if (chunk[end] !== NUL) throw violation(WITH_BODY.has(this.#command) ? 'missing-nul' : 'body-not-allowed')
    return this.#endFrame(chunk, at, end)
  }

  #readOpenBody(chunk: Uint8Array, at: number): number {
    const frameEnd = this.#frameStart + this.#limits.frameBytes
    const nul = chunk.indexOf(NUL, at)
    const seen = nul === -1 ? chunk.length : nul
    if (seen >= frameEnd) throw violation('frame-too-large')
    if (nul !== -1) return this.#endFrame(chunk, at, nul)
    this.#held.append(chunk, at, chunk.length)
    return chunk.length
  }

  /** @param bodyEnd where the NUL is */
  #endFrame(chunk: Uint8Array, bodyStart: number, bodyEnd: number): number {
    const frame = {
      command: this.#command,
      headers: this.#headers,
      body: this.#cut(chunk, bodyStart, bodyEnd),
    }
    this.#phase = 'between'
    this.#headers = []
    this.#sink.onFrame(frame)
    return bodyEnd + 1
  }

  /** What is held and `chunk[from, to)`: a view where nothing is held. */
  #cut(chunk: Uint8Array, from: number, to: number): Uint8Array {
    if (this.#held.length === 0) return from === to ? EMPTY_BODY : chunk.subarray(from, to)
    this.#held.append(chunk, from, to)
    return this.#held.take()
  }

  #release(): void {
    this.#phase = 'between'
    this.#held.take()
    this.#headers = []
  }
}

/** @throws ProtocolViolation `bad-content-length` */
function contentLength(headers: HeaderList): number | undefined {
  const value = header(headers, 'content-length')
  if (value === undefined) return undefined
  if (!/^[0-9]+$/.test(value)) throw violation('bad-content-length')
  return Number(value)
}
