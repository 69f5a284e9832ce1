import { cpus } from 'node:os'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Decoder, type DecoderLimits } from '../protocol/decoder.ts'
import { encodeFrame, SharedMessage } from '../protocol/encoder.ts'
import { CLIENT_COMMANDS, type Command, type HeaderList, SERVER_COMMANDS } from '../protocol/frame.ts'

/**
 * How fast the codec is on one core (per second of processor time), and that no way of cutting the bytes makes it quadratic.
 * `node --import tsx bench/codec.ts [--json FILE] [--rounds N]`; exits 1 below the target.
 */
const TARGET_PER_SECOND = 400_000
/** Time for twice the bytes; 4 would be quadratic. Noise on a shared machine reaches 3. */
const MAX_GROWTH = 3
const DEFAULTS: DecoderLimits = { frameBytes: 65_536, headers: 64, headerBytes: 8_192 }
const RAISED: DecoderLimits = { frameBytes: 2 ** 26, headers: 1_024, headerBytes: 2 ** 20 }
const CHUNK_BYTES = 65_536

interface Rate {
  readonly name: string
  readonly perSecond: number
  readonly lowest: number
  readonly highest: number
}

interface Growth {
  readonly name: string
  readonly bytes: number
  readonly ms: number
  readonly msForTwice: number
  readonly ratio: number
}

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, rounds: { type: 'string', default: '7' } },
})
const rounds = Number(options.rounds)

const body = Buffer.alloc(128, 'x')
const send = encodeFrame(
  'SEND',
  ['destination', '/topic/bench.1', 'content-type', 'application/json', 'receipt', 'r-123456'],
  body,
  '1.2',
)
const plainSend = encodeFrame('SEND', ['destination', '/topic/bench.1'], body, '1.2')
const utf8Send = encodeFrame('SEND', ['destination', '/topic/café', 'x-note', 'a\\b:c'], body, '1.2')
const messageHeaders: HeaderList = [
  'destination',
  '/topic/bench.1',
  'message-id',
  'T_sub-0@@session-8Q1cJpDkUEYqrIRWvSwzBA@@1234567',
  'redelivered',
  'false',
  'x-relay-origin',
  '4f1c2a:123456',
  'content-type',
  'application/json',
]
const message = encodeFrame('MESSAGE', ['subscription', 'T_sub-0', ...messageHeaders], body, '1.2')

const rates: Rate[] = [
  decodeRate('decode SEND 128 B, 4 headers, 64 KiB chunks', send, CLIENT_COMMANDS),
  decodeRate('decode SEND 128 B, 2 headers, 64 KiB chunks', plainSend, CLIENT_COMMANDS),
  decodeRate('decode SEND 128 B, one a chunk', send, CLIENT_COMMANDS, send.length),
  decodeRate('decode SEND 128 B, every frame cut in two', send, CLIENT_COMMANDS, send.length - 1),
  decodeRate('decode SEND 128 B, UTF-8 and escapes', utf8Send, CLIENT_COMMANDS),
  decodeRate('decode RabbitMQ MESSAGE 128 B, 7 headers', withLineFeed(message), SERVER_COMMANDS),
  rate('encode SEND 128 B', 200_000, (n) => {
    for (let i = 0; i < n; i++) encodeFrame('SEND', ['destination', '/topic/bench.1'], body, '1.2')
  }),
  rate('encode MESSAGE 128 B, first subscriber', 200_000, (n) => {
    for (let i = 0; i < n; i++) new SharedMessage(messageHeaders, body).encodeFor('sub-0', '1.2')
  }),
  rate('encode MESSAGE 128 B, next subscriber, own id', 400_000, (n) => {
    const shared = new SharedMessage(messageHeaders, body)
    for (let i = 0; i < n; i++) shared.encodeFor(i % 2 === 0 ? 'sub-0' : 'sub-1', '1.2')
  }),
  rate('encode MESSAGE 128 B, next subscriber, same id', 2_000_000, (n) => {
    const shared = new SharedMessage(messageHeaders, body)
    for (let i = 0; i < n; i++) shared.encodeFor('sub-0', '1.2')
  }),
]

const growths: Growth[] = [
  growth('a 64 KiB frame in one-byte chunks, counted body', (scale) =>
    encodeFrame('SEND', ['destination', '/queue/a'], Buffer.alloc(scale * 65_000, 'x'), '1.2'),
  ),
  growth('a 64 KiB frame in one-byte chunks, open body', (scale) =>
    Buffer.from(`SEND\ndestination:/queue/a\n\n${'x'.repeat(scale * 65_000)}\0`),
  ),
  growth('64 headers of 8 KiB in one-byte chunks', (scale) =>
    Buffer.from(`SEND\n${`${'h'.repeat(4_000)}:${'v'.repeat(4_191)}\n`.repeat(64 * scale)}\n\0`),
  ),
  growth('one header in one-byte chunks', (scale) =>
    Buffer.from(`SEND\nh:${'v'.repeat(262_144 * scale)}\n\n\0`),
  ),
  growth('a header of escapes', (scale) => Buffer.from(`SEND\nh:${'\\n'.repeat(131_072 * scale)}\n\n\0`)),
  growth('heart-beats in one-byte chunks', (scale) => Buffer.alloc(scale * 262_144, '\n')),
]

const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`
console.log(`codec on ${machine}; medians of ${rounds} rounds\n`)
for (const row of rates) {
  const spread = `${thousands(row.lowest)} to ${thousands(row.highest)}`
  console.log(`${row.name.padEnd(52)} ${thousands(row.perSecond).padStart(7)} frames/s  (${spread})`)
}
console.log()
for (const row of growths) {
  const times = `${row.ms.toFixed(1)} ms, twice as much ${row.msForTwice.toFixed(1)} ms`
  console.log(`${row.name.padEnd(52)} x ${row.ratio.toFixed(2)}  (${row.bytes} bytes ${times})`)
}
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine, rounds, rates, growths }, undefined, 2)}\n`)
}
const isSlow = rates[0]!.perSecond < TARGET_PER_SECOND
const isQuadratic = growths.some(({ ratio }) => ratio > MAX_GROWTH)
if (isSlow) console.log(`\nbelow the target of ${TARGET_PER_SECOND} SENDs a second`)
if (isQuadratic) console.log('\nsomething grows faster than its input')
process.exitCode = isSlow || isQuadratic ? 1 : 0

function decodeRate(
  name: string,
  frame: Uint8Array,
  commands: readonly Command[],
  chunkBytes = CHUNK_BYTES,
): Rate {
  const perChunk = Math.ceil(CHUNK_BYTES / frame.length)
  const stream = Buffer.concat(Array.from({ length: perChunk }, () => frame))
  const chunks = Array.from({ length: Math.ceil(stream.length / chunkBytes) }, (_, i) =>
    stream.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  )
  let seen = 0
  const decoder = decoderOf(commands, DEFAULTS, () => seen++)
  const turns = Math.ceil(400_000 / perChunk)
  return rate(name, turns * perChunk, () => {
    const before = seen
    for (let turn = 0; turn < turns; turn++) for (const chunk of chunks) decoder.decode(chunk)
    if (seen - before !== turns * perChunk) throw new Error(`${name}: ${seen - before} frames came out`)
  })
}

function rate(name: string, frames: number, work: (frames: number) => void): Rate {
  work(frames)
  const measured = Array.from({ length: rounds }, () => frames / (milliseconds(() => work(frames)) / 1_000))
  const sorted = measured.toSorted((a, b) => a - b)
  return { name, perSecond: median(sorted), lowest: sorted[0]!, highest: sorted.at(-1)! }
}

/** The fastest of the rounds: what disturbs a run only ever adds to it. */
function growth(name: string, input: (scale: number) => Uint8Array): Growth {
  const once = input(1)
  const twice = input(2)
  oneByOne(twice)
  const measured = Array.from({ length: rounds }, () => [oneByOne(once), oneByOne(twice)] as const)
  const ms = Math.min(...measured.map(([a]) => a))
  const msForTwice = Math.min(...measured.map(([, b]) => b))
  return { name, bytes: once.length, ms, msForTwice, ratio: msForTwice / ms }
}

function oneByOne(bytes: Uint8Array): number {
  const decoder = decoderOf(CLIENT_COMMANDS, RAISED, () => {})
  const piece = new Uint8Array(1)
  return milliseconds(() => {
    for (const byte of bytes) {
      piece[0] = byte
      decoder.decode(piece)
    }
  })
}

function decoderOf(commands: readonly Command[], limits: DecoderLimits, onFrame: () => void): Decoder {
  return new Decoder({ limits, commands, sink: { onFrame, onHeartBeat: () => {} } })
}

function withLineFeed(frame: Uint8Array): Uint8Array {
  return Buffer.concat([frame, Buffer.from('\n')])
}

/** Processor time, not the clock's: a neighbour on the machine must not count. */
function milliseconds(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)]!
}

function thousands(value: number): string {
  return `${Math.round(value / 1_000)}k`
}
