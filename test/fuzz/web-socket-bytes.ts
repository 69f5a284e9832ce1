import * as fc from 'fast-check'
import { encodeFrame } from '../../protocol/encoder.ts'
import { awkwardText } from './awkward.ts'
import type { HttpRequest } from './http-request.ts'

const CONNECT = encodeFrame('CONNECT', ['accept-version', '1.2'], undefined, '1.2')
const SUBSCRIBE = encodeFrame('SUBSCRIBE', ['id', '1', 'destination', '/topic/rooms.tea'], undefined, '1.2')

/** Most bits right, so that what is wrong is met in every state. */
const mostly = <T>(right: T, ...wrong: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(right) }, { weight: 2, arbitrary: fc.constantFrom(...wrong) })

const payload = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(CONNECT, SUBSCRIBE) },
  { weight: 1, arbitrary: awkwardText.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 130 }) },
)

/** A frame of RFC 6455, section 5.2, any field of which may lie. */
const frame = fc
  .record({
    isLast: mostly(true, false),
    reserved: mostly(0, 1, 2, 4, 7),
    opcode: mostly(1, 0, 2, 8, 9, 10, 3, 11, 15),
    isMasked: mostly(true, false),
    length: mostly<'true' | 'short' | 'long' | 'huge' | 'endless'>(
      'true',
      'short',
      'long',
      'huge',
      'endless',
    ),
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    payload,
  })
  .map(({ isLast, reserved, opcode, isMasked, length, mask, payload: plain }) => {
    const head = Buffer.from([(isLast ? 0x80 : 0) | (reserved << 4) | opcode])
    const body = isMasked ? Buffer.from(plain.map((byte, i) => byte ^ (mask[i % 4] ?? 0))) : plain
    return Buffer.concat([
      head,
      lengthOf(length, plain.length, isMasked),
      isMasked ? mask : Buffer.of(),
      body,
    ])
  })

function lengthOf(kind: string, actual: number, isMasked: boolean): Buffer {
  const bit = isMasked ? 0x80 : 0
  const said = { short: Math.max(0, actual - 1), long: actual + 7 }[kind] ?? actual
  if (kind === 'endless') return Buffer.from([bit | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
  if (kind === 'huge') return Buffer.from([bit | 127, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff])
  if (said < 126) return Buffer.of(bit | said)
  return Buffer.from([bit | 126, said >> 8, said & 0xff])
}

/** An upgrade, by somebody or by nobody, and what follows it. */
export function webSocketBytes(tokens: readonly string[]): fc.Arbitrary<HttpRequest> {
  return fc
    .record({ token: fc.constantFrom(undefined, ...tokens), frames: fc.array(frame, { maxLength: 8 }) })
    .map(({ token, frames }) => {
      const lines = [
        'GET /ws HTTP/1.1',
        'Host: 127.0.0.1',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13',
        ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ]
      return { bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), ...frames]) }
    })
}
