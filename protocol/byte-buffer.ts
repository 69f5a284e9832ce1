import { EMPTY_BODY } from './frame.ts'

const SMALLEST = 128

/** Bytes of an unfinished frame. Grows by doubling with what has arrived, never with what was promised. */
export class ByteBuffer {
  #bytes: Uint8Array | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies `source[from, to)` to the end. */
  append(source: Uint8Array, from: number, to: number): void {
    const target = this.#reserve(to - from)
    // One byte at a time is the case that a view made for each would slow down most.
    if (to - from === 1) target[this.#length] = byteAt(source, from)
    else target.set(source.subarray(from, to), this.#length)
    this.#length += to - from
  }

  /** Gives the bytes away and starts anew. */
  take(): Uint8Array {
    const taken = (this.#bytes ?? EMPTY_BODY).subarray(0, this.#length)
    this.#bytes = undefined
    this.#length = 0
    return taken
  }

  #reserve(more: number): Uint8Array {
    const needed = this.#length + more
    const old = this.#bytes
    if (old !== undefined && old.length >= needed) return old
    const grown = new Uint8Array(Math.max(SMALLEST, needed, this.#length * 2))
    if (old !== undefined) grown.set(old.subarray(0, this.#length))
    this.#bytes = grown
    return grown
  }
}

/** For an index that is known to lie inside: in the loops that see every byte, asking again would cost. */
export function byteAt(bytes: Uint8Array, index: number): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return bytes[index] as number
}
