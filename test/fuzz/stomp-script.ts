import * as fc from 'fast-check'
import { encodeFrame } from '../../protocol/encoder.ts'
import { CLIENT_COMMANDS } from '../../protocol/frame.ts'
import { VERSIONS } from '../../protocol/version.ts'
import { bytesOf, decodeVectorFiles, decodeVectors } from '../protocol/vectors.ts'
import { awkwardJson, awkwardText } from './awkward.ts'

/** What one client does: who it says it is, and what it then writes, a WebSocket message each. */
export interface StompScript {
  readonly login: 'nobody' | 'alice' | 'orders' | 'admin'
  readonly version: (typeof VERSIONS)[number]
  readonly messages: readonly Uint8Array[]
}

const DESTINATIONS = [
  '/app/messages', '/app/send', '/app/rooms/tea/messages', '/app/rooms/tea/history', '/app/rooms/tea/participants',
  '/app/presence', '/app/nothing', '/topic/messages', '/topic/rooms.tea', '/topic/orders', '/topic/orders.7',
  '/topic/#', '/topic/*.x', '/topic/broadcasts', '/queue/jobs', '/queue/user', '/amq/queue/jobs', '/temp-queue/x',
  '/reply-queue/x', '/exchange/amq.topic/a', '/user/queue/errors', '/user/queue/messages', '/user/bob/queue/messages',
  '/queue/stomp-relay.x',
] // prettier-ignore

const NAMES = [
  'id', 'destination', 'ack', 'receipt', 'transaction', 'subscription', 'message-id', 'content-length',
  'content-type', 'heart-beat', 'accept-version', 'host', 'login', 'passcode', 'Authorization', 'last-event-id',
  'history', 'prefetch-count', 'durable', 'auto-delete', 'reply-to', 'persistent', 'limit', 'before', 'after',
  'x-queue-name', 'x-dead-letter-exchange', 'x-relay-origin', 'event-id', 'user-name', '__proto__', 'simpUser',
] // prettier-ignore

const VALUES = [
  '1',
  '2',
  't1',
  'auto',
  'client',
  'client-individual',
  'true',
  'false',
  '0,0',
  '1.2',
  '10000',
  'e:1',
]

const header = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: awkwardText }),
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...VALUES) },
    { weight: 2, arbitrary: fc.constantFrom(...DESTINATIONS) },
    { weight: 2, arbitrary: awkwardText },
  ),
)

/** A frame that has what its kind needs, and more; a session of such goes on for a while. */
const soundFrame = fc
  .record({
    command: fc.constantFrom(...CLIENT_COMMANDS.filter((each) => each !== 'STOMP' && each !== 'CONNECT')),
    id: fc.constantFrom('1', '2', '3', 't1'),
    destination: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...DESTINATIONS) },
      { weight: 1, arbitrary: awkwardText },
    ),
    more: fc.array(header, { maxLength: 3 }),
    body: awkwardJson,
    version: fc.constantFrom(...VERSIONS),
  })
  .map(({ command, id, destination, more, body, version }) => {
    const needed = NEEDED[command]?.(id, destination) ?? ['id', id]
    const extra = more.flat()
    return encodeFrame(command, [...needed, ...extra], command === 'SEND' ? Buffer.from(body) : undefined, version)
  }) // prettier-ignore

const NEEDED: Readonly<Record<string, (id: string, destination: string) => string[]>> = {
  SEND: (id, destination) => ['destination', destination, 'receipt', id],
  SUBSCRIBE: (id, destination) => ['id', id, 'destination', destination, 'receipt', id],
  BEGIN: (id) => ['transaction', id],
  COMMIT: (id) => ['transaction', id],
  ABORT: (id) => ['transaction', id],
  DISCONNECT: (id) => ['receipt', id],
}

/** Any command with any headers. */
const anyFrame = fc
  .record({
    command: fc.constantFrom(...CLIENT_COMMANDS),
    headers: fc.array(header, { maxLength: 8 }),
    body: fc.option(awkwardJson, { nil: undefined }),
    version: fc.constantFrom(...VERSIONS),
  })
  .map(({ command, headers, body, version }) =>
    encodeFrame(command, headers.flat(), body === undefined ? undefined : Buffer.from(body), version),
  )

const vectors = decodeVectorFiles().flatMap((file) => decodeVectors(file).map((vector) => bytesOf(vector)))

/** A golden vector with some of its bytes changed, left out, doubled or put in. */
const mutant = fc
  .record({
    vector: fc.constantFrom(...vectors),
    changes: fc.array(fc.record({ kind: fc.nat(3), at: fc.nat(10_000), byte: fc.nat(255) }), {
      maxLength: 6,
    }),
  })
  .map(({ vector, changes }) => {
    let bytes = Buffer.from(vector)
    for (const { kind, at, byte } of changes) {
      const place = at % (bytes.length + 1)
      const [head, tail] = [bytes.subarray(0, place), bytes.subarray(place)]
      if (kind === 0) bytes = Buffer.concat([head, Buffer.of(byte), tail.subarray(1)])
      else if (kind === 1) bytes = Buffer.concat([head, tail.subarray(1)])
      else if (kind === 2) bytes = Buffer.concat([head, Buffer.of(byte), tail])
      else bytes = Buffer.concat([head, tail.subarray(0, 8), tail])
    }
    return bytes
  })

const noise = fc.uint8Array({ maxLength: 200 })

const message = fc.oneof(
  { weight: 10, arbitrary: soundFrame },
  { weight: 3, arbitrary: anyFrame },
  { weight: 2, arbitrary: mutant },
  { weight: 1, arbitrary: noise },
  { weight: 1, arbitrary: fc.constant(Buffer.from('\n')) },
)

/** Cut anywhere, since no WebSocket message has to hold whole frames. */
const messages = fc
  .tuple(fc.array(message, { maxLength: 14 }), fc.array(fc.nat(5000), { maxLength: 3 }), fc.boolean())
  .map(([parts, cuts, isCut]) => {
    if (!isCut) return parts
    const bytes = Buffer.concat(parts)
    const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
    return [...places, bytes.length].map((end, i) => bytes.subarray(places[i - 1] ?? 0, end))
  })

export const stompScript: fc.Arbitrary<StompScript> = fc.record({
  login: fc.constantFrom('alice', 'alice', 'orders', 'admin'),
  version: fc.constantFrom(...VERSIONS),
  messages,
})

/** The same by somebody who is nobody: nothing of it may have an effect. */
export const strangersScript: fc.Arbitrary<StompScript> = fc.record({
  login: fc.constant('nobody' as const),
  version: fc.constantFrom(...VERSIONS),
  messages,
})
