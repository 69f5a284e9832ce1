import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { renderWebSocketFrames } from '../../src/connection/web-socket-frames.ts'
import { Inbox } from '../support/inbox.ts'

interface Seen {
  readonly data: Buffer
  readonly isBinary: boolean
}

/** Writes bytes to the socket of a WebSocket that ws has opened; ws at the other end says what they are. */
async function readByWs(t: Test, bytes: Uint8Array, count: number): Promise<Seen[]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  await once(server, 'listening')
  server.on('connection', (_webSocket, request) => request.socket.write(bytes))
  const { port } = server.address() as { port: number }
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  t.teardown(() => client.terminate())
  const inbox = new Inbox<Seen>()
  client.on('message', (data: Buffer, isBinary) => inbox.push({ data, isBinary }))
  return inbox.atLeast(count)
}

await t.test('makes one message of each frame, at every length where the header grows', async (t) => {
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 200_000]
  const frames = lengths.map((length, i) => ({ bytes: new Uint8Array(length).fill(i + 1), isText: false }))
  const seen = await readByWs(t, renderWebSocketFrames(frames), lengths.length)
  t.same(
    seen.map(({ data }) => data.length),
    lengths,
  )
  for (const [i, { data, isBinary }] of seen.entries()) {
    t.ok(data.equals(Buffer.from(frames[i]!.bytes)), `bytes of ${lengths[i]}`)
    t.equal(isBinary, true)
  }
})

await t.test('says which frames are text', async (t) => {
  const bytes = Buffer.from('grüße')
  const rendered = renderWebSocketFrames([
    { bytes, isText: true },
    { bytes, isText: false },
  ])
  const seen = await readByWs(t, rendered, 2)
  t.same(
    seen.map(({ isBinary }) => isBinary),
    [false, true],
  )
  t.equal(seen[0]?.data.toString(), 'grüße')
})

await t.test('makes nothing of nothing', async (t) => {
  t.equal(renderWebSocketFrames([]).byteLength, 0)
})

await t.test('reaches a client between what ws itself writes', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  t.teardown(() => server.close())
  await once(server, 'listening')
  server.on('connection', (webSocket, request) => {
    for (const text of ['a', 'b', 'c']) {
      webSocket.send(`ws ${text}`)
      request.socket.write(renderWebSocketFrames([{ bytes: Buffer.from(`ours ${text}`), isText: true }]))
    }
  })
  const { port } = server.address() as { port: number }
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  t.teardown(() => client.terminate())
  const inbox = new Inbox<string>()
  client.on('message', (data: Buffer) => inbox.push(data.toString()))
  t.same(await inbox.atLeast(6), ['ws a', 'ours a', 'ws b', 'ours b', 'ws c', 'ours c'])
})
