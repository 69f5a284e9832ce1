import { WebSocketServer, type WebSocket } from 'ws'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Trial } from './trial.ts'
import { faultOf, staleDifferences } from './verdict.ts'
import { wireBytes, WireReader, type WireFrame } from './wire.ts'

const LISTED = [{ reason: 'because', shows: 'stays open', cases: ['a'], versions: ['1.2'] as const }]

await t.test(
  'finds fault with what differs unlisted, and with what is listed and does not differ',
  async (t) => {
    const known = { id: 'a', version: '1.2', deviation: 'ERROR, but stays open' } as const
    t.equal(faultOf(known, LISTED), undefined)
    t.match(faultOf({ ...known, deviation: undefined }, LISTED), /there is none/)
    t.match(faultOf({ ...known, deviation: 'closed' }, LISTED), /otherwise than listed: closed/)
    t.equal(faultOf({ ...known, version: '1.1' }, LISTED), 'ERROR, but stays open')
    t.equal(faultOf({ id: 'b', version: '1.2', deviation: undefined }, LISTED), undefined)
  },
)

await t.test('finds fault with a difference that no case can show', async (t) => {
  t.same(staleDifferences([], LISTED), ['a'])
  t.same(staleDifferences([{ id: 'a', version: '1.1', deviation: undefined }], LISTED), ['a in 1.2'])
  t.same(staleDifferences([{ id: 'a', version: '1.2', deviation: undefined }], LISTED), [])
})

await t.test('reads frames whatever the pieces', async (t) => {
  const bytes = Buffer.concat([
    wireBytes('MESSAGE', ['a', String.raw`\c:x`], 'one\0two'),
    Buffer.from('\n\nRECEIPT\nreceipt-id:r\n\n\0'),
  ])
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames: WireFrame[] = []
    let beats = 0
    const reader = new WireReader({ onFrame: (frame) => frames.push(frame), onBeat: () => beats++ })
    reader.read(bytes.subarray(0, cut))
    reader.read(bytes.subarray(cut))
    t.same(
      frames.map(({ command, headers, body }) => [command, headers.join('='), body.toString()]),
      [
        ['MESSAGE', String.raw`a=\c:x=content-length=7`, 'one\0two'],
        ['RECEIPT', 'receipt-id=r', ''],
      ],
    )
    t.equal(beats, 2)
  }
})

/** A server that answers CONNECT, and everything else as it is told. */
async function trialAgainst(
  t: Test,
  answer: (command: string, receipt: string, socket: WebSocket) => void,
): Promise<Trial> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const [command = '', ...lines] = data.toString().split('\n')
      const receipt = lines.find((line) => line.startsWith('receipt:'))?.slice(8) ?? ''
      if (command === 'CONNECT') socket.send(wireBytes('CONNECTED', ['version', '1.2']))
      else answer(command, receipt, socket)
    })
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const target = {
    url: `ws://127.0.0.1:${port}`,
    login: 'a',
    passcode: 'b',
    host: '/',
    offers: new Set<never>(),
  }
  const trial = new Trial(target, '1.2')
  t.teardown(() => trial.end())
  return trial
}

const ERROR = wireBytes('ERROR', ['message', 'no'])

for (const [outcome, answer] of [
  ['not refused', (_command, receipt, socket) => socket.send(wireBytes('RECEIPT', ['receipt-id', receipt]))],
  ['closed without ERROR', (_command, _receipt, socket) => socket.close()],
  [
    'stays open',
    (command, receipt, socket) =>
      socket.send(command === 'BEGIN' ? ERROR : wireBytes('RECEIPT', ['receipt-id', receipt])),
  ],
  [
    'a RECEIPT for the frame that ERROR refused',
    (_command, receipt, socket) => {
      socket.send(ERROR)
      socket.send(wireBytes('RECEIPT', ['receipt-id', receipt]))
      socket.close()
    },
  ],
  [
    'ERROR has no message',
    (_command, _receipt, socket) => {
      socket.send(wireBytes('ERROR'))
      socket.close()
    },
  ],
  [
    undefined,
    (_command, _receipt, socket) => {
      socket.send(ERROR)
      socket.close()
    },
  ],
] as const satisfies readonly (readonly [
  string | undefined,
  (command: string, receipt: string, socket: WebSocket) => void,
])[]) {
  await t.test(`judges a server: ${outcome ?? 'refuses'}`, async (t) => {
    const trial = await trialAgainst(t, answer)
    const peer = await trial.connect()
    peer.send('BEGIN', ['receipt', 'r'])
    const refusal = trial.refusal(peer, { receipt: 'r' })
    if (outcome === undefined) await t.resolves(refusal)
    else await t.rejects(refusal, new RegExp(outcome))
  })
}
