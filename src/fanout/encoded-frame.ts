import { isUtf8 } from 'node:buffer'
import { header, type HeaderList } from '../../protocol/frame.ts'

/** One encoded STOMP frame. `isText` tells whether a WebSocket text frame may carry it. */
export interface EncodedFrame {
  readonly bytes: Uint8Array
  readonly isText: boolean
}

/**
 * Whether a WebSocket text frame may carry a body: it must be UTF-8 throughout, or browsers cut the
 * connection (RFC 6455, section 8.1).
 */
export function isTextBody(headers: HeaderList, body: Uint8Array): boolean {
  return header(headers, 'content-type') !== 'application/octet-stream' && isUtf8(body)
}
