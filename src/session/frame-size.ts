import type { ClientFrame } from '../../protocol/frame.ts'

/** Body bytes, and the UTF-16 length of headers, which is near enough for a bound. */
export function sizeOf({ body, headers }: ClientFrame): number {
  return body.byteLength + headers.reduce((sum, part) => sum + part.length, 0)
}
