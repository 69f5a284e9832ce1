import t from 'tap'
import { WsReader, type WsSink } from '../../bench/load/ws-reader.ts'
import { serverFrame } from '../../bench/load/ws-frame.ts'

function recorder(): { readonly seen: string[]; readonly sink: WsSink } {
  const seen: string[] = []
  return {
    seen,
    sink: {
      onMessage: (bytes, start, end) => seen.push(`message ${bytes.toString('latin1', start, end)}`),
      onPing: (payload) => seen.push(`ping ${payload.toString()}`),
      onClose: (code, reason) => seen.push(`close ${code} ${reason}`),
    },
  }
}

const PING = Buffer.from([0x89, 2, 0x68, 0x69])
const CLOSE = Buffer.from([0x88, 5, 0x03, 0xe9, 0x62, 0x79, 0x65])
const SHORT = 'a'
const MIDDLE = 'b'.repeat(126)
const LONG = 'c'.repeat(66_000)
const LONG_FRAME = Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0x01, 0xd0]), Buffer.from(LONG)])

await t.test('reads the same frames however their bytes are split in two', async (t) => {
  const frames = [
    serverFrame(Buffer.from(SHORT)),
    PING,
    serverFrame(Buffer.from(MIDDLE)),
    serverFrame(Buffer.alloc(0)),
    CLOSE,
  ]
  const bytes = Buffer.concat(frames)
  const expected = [`message ${SHORT}`, 'ping hi', `message ${MIDDLE}`, 'message ', 'close 1001 bye']
  for (let split = 0; split <= bytes.length; split++) {
    const { seen, sink } = recorder()
    const reader = new WsReader(sink)
    reader.push(bytes.subarray(0, split))
    reader.push(bytes.subarray(split))
    t.same(seen, expected, `split at ${split}`)
  }
})

await t.test('reads frames that come byte by byte', async (t) => {
  const { seen, sink } = recorder()
  const reader = new WsReader(sink)
  const bytes = Buffer.concat([serverFrame(Buffer.from(MIDDLE)), serverFrame(Buffer.from(SHORT))])
  for (const byte of bytes) reader.push(Buffer.from([byte]))
  t.same(seen, [`message ${MIDDLE}`, `message ${SHORT}`])
})

await t.test('keeps what it holds when the read buffer is used again', async (t) => {
  const { seen, sink } = recorder()
  const reader = new WsReader(sink)
  const bytes = serverFrame(Buffer.from(MIDDLE))
  const shared = Buffer.from(bytes.subarray(0, 50))
  reader.push(shared)
  shared.fill(0)
  reader.push(bytes.subarray(50))
  t.same(seen, [`message ${MIDDLE}`])
})

await t.test('reads a frame with a length of 64 bits', async (t) => {
  const { seen, sink } = recorder()
  const reader = new WsReader(sink)
  for (const split of [5, 10, 40_000]) {
    reader.push(LONG_FRAME.subarray(0, split))
    reader.push(LONG_FRAME.subarray(split))
  }
  t.same(
    seen,
    Array.from({ length: 3 }, () => `message ${LONG}`),
  )
})

await t.test('ignores a pong and reads a close without a code', async (t) => {
  const { seen, sink } = recorder()
  new WsReader(sink).push(Buffer.from([0x8a, 0, 0x88, 0]))
  t.same(seen, ['close 1005 '])
})

await t.test('refuses what a server of a benchmark does not send', async (t) => {
  const refused: readonly [string, readonly number[]][] = [
    ['a frame uses an extension', [0xc1, 0]],
    ['a message is fragmented', [0x01, 0]],
    ['a message is fragmented', [0x80, 0]],
    ['a server frame is masked', [0x81, 0x80]],
    ['opcode 3', [0x83, 0]],
    ['opcode 11', [0x8b, 0]],
    ['a frame of 4294967296 bytes', [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]],
  ]
  for (const [message, bytes] of refused) {
    t.throws(() => new WsReader(recorder().sink).push(Buffer.from(bytes)), { message })
  }
})
