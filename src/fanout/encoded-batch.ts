import { isUtf8 } from 'node:buffer'
import { header, type HeaderList } from '../../protocol/frame.ts'

/**
 * Whether a WebSocket text frame may carry a body: it must be UTF-8 throughout, or browsers cut the
 * connection (RFC 6455, section 8.1).
 */
export function isTextBody(headers: HeaderList, body: Uint8Array): boolean {
  return header(headers, 'content-type') !== 'application/octet-stream' && isUtf8(body)
}

/** One encoded STOMP frame. `isText` tells whether a WebSocket text frame may carry it. */
export interface EncodedFrame {
  readonly bytes: Uint8Array
  readonly isText: boolean
}

/** Turns frames into the bytes of one kind of transport, for one write. */
export type Rendering = (frames: readonly EncodedFrame[]) => Uint8Array

/**
 * Frames that many subscribers get alike. Each kind of transport renders them once, whoever asks
 * first, and everybody writes the same bytes.
 */
export class EncodedBatch {
  readonly frames: readonly EncodedFrame[]
  readonly #rendered = new Map<Rendering, Uint8Array>()

  constructor(frames: readonly EncodedFrame[]) {
    this.frames = frames
  }

  /** @param rendering the same function object each time, or nothing is shared */
  render(rendering: Rendering): Uint8Array {
    let bytes = this.#rendered.get(rendering)
    if (bytes === undefined) {
      bytes = rendering(this.frames)
      this.#rendered.set(rendering, bytes)
    }
    return bytes
  }
}
