import t from 'tap'
import { Decoder, type DecoderSink } from '../../protocol/decoder.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { CLIENT_COMMANDS, EMPTY_BODY, type Frame } from '../../protocol/frame.ts'
import { LIMITS } from './vectors.ts'

function decoderWith(sink: Partial<DecoderSink>): Decoder {
  return new Decoder({
    limits: LIMITS,
    commands: CLIENT_COMMANDS,
    sink: { onFrame: () => {}, onHeartBeat: () => {}, ...sink },
  })
}

function thrownBy(work: () => void): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

await t.test('throws the same violation at each call after the first', async (t) => {
  const decoder = decoderWith({})
  const first = thrownBy(() => decoder.decode(Buffer.from('SEND\na\n')))
  t.ok(first instanceof ProtocolViolation)
  t.match(first, { code: 'malformed-header', closeCode: 1002, message: 'malformed header' })
  t.equal(
    thrownBy(() => decoder.decode(Buffer.from('SEND\n\n\0'))),
    first,
  )
  t.equal(decoder.pendingBytes, 0)
})

await t.test('is dead after its sink threw, since the rest of that chunk is lost', async (t) => {
  const fault = new Error('sink')
  const decoder = decoderWith({
    onFrame: () => {
      throw fault
    },
  })
  t.equal(
    thrownBy(() => decoder.decode(Buffer.from('SEND\n\n\0'))),
    fault,
  )
  t.match(
    thrownBy(() => decoder.decode(Buffer.from('\n'))),
    { code: 'internal' },
  )
})

await t.test('ignores the rest of the chunk and later ones once stopped within onFrame', async (t) => {
  const commands: string[] = []
  const decoder: Decoder = decoderWith({
    onFrame: ({ command }) => {
      commands.push(command)
      decoder.stop()
    },
  })
  decoder.decode(Buffer.from('BEGIN\n\n\0ABORT\n\n\0NOPE'))
  decoder.decode(Buffer.from('ABORT\n\n\0'))
  t.strictSame(commands, ['BEGIN'])
  t.equal(decoder.pendingBytes, 0)
})

await t.test('forgets half a frame when it is stopped between chunks', async (t) => {
  const decoder = decoderWith({ onFrame: () => t.fail('no frame') })
  decoder.decode(Buffer.from('SEND\na:b\n\nhal'))
  t.equal(decoder.pendingBytes, 13)
  decoder.stop()
  t.equal(decoder.pendingBytes, 0)
  decoder.decode(Buffer.from('f\0'))
})

await t.test('reads the next frame of the same chunk by the version set within onFrame', async (t) => {
  const headers: unknown[] = []
  const decoder: Decoder = decoderWith({
    onFrame: (frame) => {
      headers.push(frame.headers)
      if (frame.command === 'CONNECT') decoder.version = '1.0'
    },
  })
  decoder.decode(Buffer.from('CONNECT\na:\\c\n\n\0SEND\na: \\c\n\n\0'))
  t.strictSame(headers, [
    ['a', '\\c'],
    ['a', '\\c'],
  ])
})

await t.test('tells how many bytes of an unfinished frame came, in every part of it', async (t) => {
  const decoder = decoderWith({})
  const bytes = Buffer.from('\n\nSEND\na:b\ncontent-length:3\n\nabc\0')
  const pending: number[] = []
  for (const byte of bytes) {
    decoder.decode(Uint8Array.of(byte))
    pending.push(decoder.pendingBytes)
  }
  const frameBytes = bytes.length - 2
  t.strictSame(pending, [0, 0, ...Array.from({ length: frameBytes - 1 }, (_, i) => i + 1), 0])
})

await t.test('gives the body as a view on a chunk that holds the whole frame', async (t) => {
  const bodies: Uint8Array[] = []
  const decoder = decoderWith({ onFrame: ({ body }) => bodies.push(body) })
  const chunk = Buffer.from('SEND\n\nabc\0SEND\ncontent-length:3\n\ndef\0BEGIN\n\n\0')
  decoder.decode(chunk)
  t.equal(bodies[0]!.buffer, chunk.buffer)
  t.equal(bodies[1]!.buffer, chunk.buffer)
  t.equal(bodies[2], EMPTY_BODY)
})

await t.test('gives a body of its own where the frame came in pieces', async (t) => {
  const frames: Frame[] = []
  const decoder = decoderWith({ onFrame: (frame) => frames.push(frame) })
  const piece = Buffer.alloc(1)
  for (const byte of Buffer.from('SEND\nx:y\n\nabc\0SEND\nx:z\ncontent-length:3\n\ndef\0')) {
    piece[0] = byte
    decoder.decode(piece)
  }
  t.strictSame(
    frames.map(({ body }) => Buffer.from(body).toString()),
    ['abc', 'def'],
  )
  t.strictSame(
    frames.map(({ headers }) => headers),
    [
      ['x', 'y'],
      ['x', 'z', 'content-length', '3'],
    ],
  )
})

await t.test('keeps nothing for a body that was announced but did not come', async (t) => {
  const decoder = decoderWith({})
  decoder.decode(Buffer.from('SEND\ncontent-length:65000\n\n'))
  decoder.decode(Buffer.from('x'))
  t.equal(decoder.pendingBytes, 28)
})

await t.test('reports a heart-beat once for each chunk', async (t) => {
  let beats = 0
  const decoder = decoderWith({ onHeartBeat: () => beats++ })
  for (const chunk of ['\n\n', '\r', '\n', '\nSEND\n\n\0\n', '']) decoder.decode(Buffer.from(chunk))
  t.equal(beats, 3)
})

await t.test('takes plain Uint8Arrays and empty chunks', async (t) => {
  const commands: string[] = []
  const decoder = decoderWith({ onFrame: ({ command }) => commands.push(command) })
  decoder.decode(new TextEncoder().encode('SEND\na:b\n\n'))
  decoder.decode(new Uint8Array(0))
  decoder.decode(new TextEncoder().encode('body\0'))
  t.strictSame(commands, ['SEND'])
})
