import type { EncodedFrame } from '../session/transport.ts'

const FIN = 0x80
const TEXT = 0x1
const BINARY = 0x2

/**
 * Renders STOMP frames as unmasked WebSocket messages, one each, in one buffer (RFC 6455, section 5.2).
 * One message a frame is what every STOMP client understands.
 */
export function renderWebSocketFrames(frames: readonly EncodedFrame[]): Uint8Array {
  const total = frames.reduce((sum, { bytes }) => sum + headerBytes(bytes.byteLength) + bytes.byteLength, 0)
  const out = Buffer.allocUnsafe(total)
  let at = 0
  for (const { bytes, isText } of frames) {
    at = writeHeader(out, at, { length: bytes.byteLength, opcode: isText ? TEXT : BINARY })
    out.set(bytes, at)
    at += bytes.byteLength
  }
  return out
}

function headerBytes(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function writeHeader(out: Buffer, at: number, frame: { length: number; opcode: number }): number {
  out[at] = FIN | frame.opcode
  if (frame.length < 126) {
    out[at + 1] = frame.length
    return at + 2
  }
  if (frame.length < 65_536) {
    out[at + 1] = 126
    return out.writeUInt16BE(frame.length, at + 2)
  }
  out[at + 1] = 127
  return out.writeBigUInt64BE(BigInt(frame.length), at + 2)
}
