import * as fc from 'fast-check'
import t from 'tap'
import type { DecoderLimits } from '../../protocol/decoder.ts'
import { encodeFrame } from '../../protocol/encoder.ts'
import { CLIENT_COMMANDS, type Command, SERVER_COMMANDS } from '../../protocol/frame.ts'
import { type Version, VERSIONS } from '../../protocol/version.ts'
import { type Outcome, run } from './vectors.ts'

const COMMANDS: readonly Command[] = [...CLIENT_COMMANDS, ...SERVER_COMMANDS]
const WITH_BODY = new Set<Command>(['SEND', 'MESSAGE', 'ERROR'])
const UNESCAPED = new Set<Command>(['CONNECT', 'STOMP', 'CONNECTED'])

/** Bytes with what parsers trip over far more often than chance would have it. */
const awkwardBytes = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\0', ':', '\\', '\\n', '\\c', '\n\n', '\n\n\0'),
      },
      { weight: 3, arbitrary: fc.constantFrom(...COMMANDS.map((command) => `${command}\n`)) },
      {
        weight: 2,
        arbitrary: fc.constantFrom('content-length:', 'content-length:3\n', 'a:b\n', 'é', ' ', '3'),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }) },
    ),
    { maxLength: 40 },
  )
  .map((parts) =>
    Buffer.concat(parts.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
  )

const limits: fc.Arbitrary<DecoderLimits> = fc.record({
  frameBytes: fc.integer({ min: 1, max: 120 }),
  headers: fc.integer({ min: 0, max: 4 }),
  headerBytes: fc.integer({ min: 0, max: 20 }),
})

const sender = fc.constantFrom(undefined, 'server' as const)
const version = fc.constantFrom(...VERSIONS)
const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 })

function pieces(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places)].filter((at) => at < bytes.length).toSorted((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

function comparable({ frames, violation }: Outcome): string {
  return JSON.stringify({ frames, violation })
}

/** What a version and command can say: the encoder puts a space for the rest. */
function expressible(text: string, spoken: Version, command: Command): string {
  const isPlain = spoken === '1.0' || UNESCAPED.has(command)
  const lost = isPlain ? /[\0\r\n]/g : spoken === '1.1' ? /[\0\r]/g : /\0/g
  return text.replaceAll(lost, ' ')
}

await t.test('gives back every frame that it wrote, in every version', async (t) => {
  const part = fc.string({ unit: 'binary', maxLength: 20 })
  const frame = fc.record({
    command: fc.constantFrom(...COMMANDS),
    headers: fc.array(fc.tuple(part, part), { maxLength: 6 }),
    body: fc.uint8Array({ maxLength: 60 }),
    version,
  })
  fc.assert(
    fc.property(frame, cuts, (sent, places) => {
      const { command } = sent
      const hasBody = WITH_BODY.has(command)
      const bytes = encodeFrame(command, sent.headers.flat(), hasBody ? sent.body : undefined, sent.version)
      const from = (SERVER_COMMANDS as readonly Command[]).includes(command) ? 'server' : undefined
      const got = run(pieces(bytes, places), { version: sent.version, ...(from && { sender: from }) })
      const isPlain = sent.version === '1.0' || UNESCAPED.has(command)
      const isTrimmed = sent.version === '1.0' || command === 'CONNECT' || command === 'STOMP'
      const headers = sent.headers
        .filter(([name]) => name !== '' && name !== 'content-length')
        .flatMap(([name, value]) => {
          const writtenName = expressible(name, sent.version, command)
          const written = expressible(value, sent.version, command)
          return [
            isPlain ? writtenName.replaceAll(':', ' ') : writtenName,
            isTrimmed ? written.replace(/^ +/, '') : written,
          ]
        })
      if (hasBody) headers.push('content-length', `${sent.body.length}`)
      const body = Buffer.from(hasBody ? sent.body : []).toString('base64')
      return comparable(got) === JSON.stringify({ frames: [{ command, headers, body }] })
    }),
    { numRuns: 2_000 },
  )
  t.pass('2,000 frames')
})

await t.test('comes to the same result however the bytes are cut', async (t) => {
  const vectors = fc.record({ version, limits, isLenient: fc.boolean() })
  fc.assert(
    fc.property(awkwardBytes, vectors, sender, cuts, (...[bytes, vector, from, places]) => {
      const full = { ...vector, ...(from && { sender: from }) }
      return comparable(run(pieces(bytes, places), full)) === comparable(run([bytes], full))
    }),
    { numRuns: 20_000 },
  )
  t.pass('20,000 inputs')
})

await t.test('throws nothing but protocol violations, whatever comes', async (t) => {
  fc.assert(
    fc.property(
      fc.oneof(awkwardBytes, fc.uint8Array({ maxLength: 200 })),
      version,
      sender,
      (bytes, spoken, from) => {
        run([bytes], { version: spoken, ...(from && { sender: from }) })
      },
    ),
    { numRuns: 10_000 },
  )
  t.pass('10,000 inputs')
})

await t.test('keeps the bounds of every frame that it lets through', async (t) => {
  fc.assert(
    fc.property(awkwardBytes, limits, (bytes, bounds) => {
      const { frames } = run([bytes], { limits: bounds })
      return frames.every(
        ({ headers, body }) =>
          headers.length / 2 <= bounds.headers && Buffer.from(body, 'base64').length < bounds.frameBytes,
      )
    }),
    { numRuns: 5_000 },
  )
  t.pass('5,000 inputs')
})
