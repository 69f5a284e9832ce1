import { readdirSync, readFileSync } from 'node:fs'
import { Decoder, type DecoderLimits } from '../../protocol/decoder.ts'
import { ProtocolViolation, type ViolationCode } from '../../protocol/errors.ts'
import { CLIENT_COMMANDS, type Command, type HeaderList, SERVER_COMMANDS } from '../../protocol/frame.ts'
import type { Version } from '../../protocol/version.ts'

/** The defaults of CONTRACT section 8. */
export const LIMITS: DecoderLimits = { frameBytes: 65_536, headers: 64, headerBytes: 8_192 }

export interface DecodeVector {
  readonly title: string
  readonly bytes?: string
  readonly base64?: string
  readonly version: Version
  readonly sender?: 'server'
  readonly limits?: DecoderLimits
  readonly isLenient?: boolean
  readonly frames: readonly VectorFrame[]
  readonly heartBeats?: number
  readonly violation?: ViolationCode
}

interface VectorFrame {
  readonly command: Command
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
  readonly bodyBase64?: string
}

export interface EncodeVector {
  readonly title: string
  readonly version: Version
  readonly command: Command
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
  readonly bytes: string
}

/** What came out of a decoder, comparable: bodies as base64. */
export interface Outcome {
  readonly frames: readonly { command: Command; headers: HeaderList; body: string }[]
  readonly violation: ViolationCode | undefined
  readonly heartBeats: number
}

const FOLDER = new URL('../../protocol/vectors/', import.meta.url)

export function decodeVectorFiles(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith('.json') && name !== 'encoded.json')
}

export function decodeVectors(file: string): readonly DecodeVector[] {
  const { vectors }: { vectors: DecodeVector[] } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
  return vectors
}

export function encodeVectors(): readonly EncodeVector[] {
  const url = new URL('encoded.json', FOLDER)
  const { vectors }: { vectors: EncodeVector[] } = JSON.parse(readFileSync(url, 'utf8'))
  return vectors
}

export function bytesOf(vector: DecodeVector): Buffer {
  return vector.base64 === undefined
    ? Buffer.from(vector.bytes!, 'utf8')
    : Buffer.from(vector.base64, 'base64')
}

/** The outcome that a vector demands, heart-beats aside: they depend on the chunks. */
export function expectedOf(vector: DecodeVector): Omit<Outcome, 'heartBeats'> {
  const frames = vector.frames.map(({ command, headers, body, bodyBase64 }) => ({
    command,
    headers: headers.flat(),
    body: bodyBase64 ?? Buffer.from(body ?? '', 'utf8').toString('base64'),
  }))
  return { frames, violation: vector.violation }
}

/** Feeds the chunks to a decoder; anything but a ProtocolViolation is thrown on. */
export function run(chunks: Iterable<Uint8Array>, vector: Partial<DecodeVector> = {}): Outcome {
  const frames: { command: Command; headers: HeaderList; body: string }[] = []
  let heartBeats = 0
  const decoder = new Decoder({
    limits: vector.limits ?? LIMITS,
    commands: vector.sender === 'server' ? SERVER_COMMANDS : CLIENT_COMMANDS,
    sink: {
      onFrame: ({ command, headers, body }) =>
        frames.push({ command, headers, body: Buffer.from(body).toString('base64') }),
      onHeartBeat: () => heartBeats++,
    },
    ...(vector.isLenient === true && { isLenient: true }),
  })
  decoder.version = vector.version ?? '1.2'
  try {
    for (const chunk of chunks) decoder.decode(chunk)
    return { frames, violation: undefined, heartBeats }
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error
    return { frames, violation: error.code, heartBeats }
  }
}

export function* oneByOne(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1)
}
