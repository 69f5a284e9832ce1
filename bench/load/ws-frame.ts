const OPCODE_TEXT = 0x1
const OPCODE_PONG = 0xa
const FIN = 0x80
const RSV1 = 0x40
const MASKED = 0x80

/** One unmasked WebSocket text frame, as a server writes it (RFC 6455, section 5.2). */
export function serverFrame(payload: Uint8Array): Buffer {
  const header = frameHeader(OPCODE_TEXT, payload.length, 0)
  return Buffer.concat([header, payload])
}

/**
 * One client frame. Its mask is four zero bytes, which is a lawful key and leaves the payload as it
 * is: the generator is not what is measured.
 */
export function clientFrame(payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(OPCODE_TEXT, payload.length, MASKED), Buffer.alloc(4), payload])
}

/** A client frame whose payload is compressed (RFC 7692, section 7.2.1). @param payload what deflate made of it */
export function compressedClientFrame(payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(RSV1 | OPCODE_TEXT, payload.length, MASKED), Buffer.alloc(4), payload])
}

/** The answer to a ping, with the ping's own payload (RFC 6455, section 5.5.3). */
export function pongFrame(payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(OPCODE_PONG, payload.length, MASKED), Buffer.alloc(4), payload])
}

function frameHeader(opcode: number, length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([FIN | opcode, maskBit | length])
  if (length <= 0xffff) return Buffer.from([FIN | opcode, maskBit | 126, length >> 8, length & 0xff])
  const header = Buffer.alloc(10)
  header[0] = FIN | opcode
  header[1] = maskBit | 127
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}
