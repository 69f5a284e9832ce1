import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { createServer, type ServerOptions } from '../../src/http/server.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { until } from '../support/until.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

async function rig(t: Teardown, options: ServerOptions) {
  const server = createServer(createLog({ level: 'silent', nodeId: 'test' }), options)
  t.teardown(() => server.close())
  server.route({ method: 'POST', url: '/', handler: async ({ body }) => ({ said: body }) })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => void socket.destroy())
    socket.on('error', () => undefined).setNoDelay()
    await once(socket, 'connect')
    return socket
  }
  return { open }
}

/** What comes until the server hangs up. */
async function said(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'close')
  return text
}

/** Writes a byte from time to time, for as long as it is let. */
function trickle(t: Teardown, socket: Socket, byte: string): void {
  const timer = setInterval(() => void (socket.writable && socket.write(byte)), 20)
  t.teardown(() => clearInterval(timer))
}

await t.test('hangs up on headers that come byte by byte and do not end', async (t) => {
  const { open } = await rig(t, { headersTimeoutMs: 300, requestTimeoutMs: 30_000 })
  const socket = await open()
  socket.write('POST / HTTP/1.1\r\nhost: a\r\nx: ')
  const begunMs = performance.now()
  trickle(t, socket, 'x')
  t.match(await said(socket), /^HTTP\/1.1 408 /)
  t.ok(performance.now() - begunMs < 20_000, 'long before the time for the whole request')
})

await t.test('hangs up on a body that comes byte by byte', async (t) => {
  const { open } = await rig(t, { headersTimeoutMs: 300, requestTimeoutMs: 600 })
  const socket = await open()
  socket.write(
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"',
  )
  trickle(t, socket, 'x')
  t.match(await said(socket), /^HTTP\/1.1 408 /)
})

await t.test('hangs up on whoever says nothing', async (t) => {
  const { open } = await rig(t, { headersTimeoutMs: 300, requestTimeoutMs: 60_000 })
  t.match(await said(await open()), /^HTTP\/1.1 408 /)
})

await t.test('keeps so many silent connections of one address, and cuts those beyond', async (t) => {
  const { open } = await rig(t, { maxSilentPerAddress: 2 })
  const first = await open()
  const second = await open()
  t.equal(await said(await open()), '')
  // One that has asked does not count any more, though it stays open.
  first.write('GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(first, 'data')
  const third = await open()
  t.equal(await said(await open()), '')
  second.destroy()
  await once(second, 'close')
  let fourth = await open()
  await until(async () => {
    fourth.write('GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n')
    const [text] = (await Promise.race([once(fourth, 'data'), once(fourth, 'close')])) as [Buffer | boolean]
    if (Buffer.isBuffer(text)) return true
    fourth = await open()
    return false
  })
  t.notOk(third.destroyed)
})

await t.test('holds so many connections of one address, idle ones too, until they are closed', async (t) => {
  const cuts: string[] = []
  const { open } = await rig(t, { maxConnectionsPerAddress: 2, onCut: (reason) => void cuts.push(reason) })
  const ask = async (socket: Socket): Promise<void> => {
    socket.write('GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n')
    await once(socket, 'data')
  }
  const first = await open()
  await ask(first)
  await ask(await open())
  t.equal(await said(await open()), '', 'answered and kept alive, they count all the same')
  t.same(cuts, ['address'])
  first.destroy()
  await until(async () => {
    const next = await open()
    next.write('GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n')
    const [text] = (await Promise.race([once(next, 'data'), once(next, 'close')])) as [Buffer | boolean]
    return Buffer.isBuffer(text)
  })
})

await t.test('holds so many connections of all kinds, and cuts those beyond', async (t) => {
  const cuts: string[] = []
  const { open } = await rig(t, { maxConnections: 1, onCut: (reason) => void cuts.push(reason) })
  const first = await open()
  first.write('GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(first, 'data')
  t.equal(await said(await open()), '')
  t.same(cuts, ['all'])
})

await t.test('cuts none of a proxy, behind which many are', async (t) => {
  for (const trustProxy of [['127.0.0.1'], ['::1', '127.0.0.0/8']]) {
    const { open } = await rig(t, { maxSilentPerAddress: 1, maxConnectionsPerAddress: 1, trustProxy })
    const sockets = [await open(), await open(), await open()]
    for (const socket of sockets) {
      socket.write('GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n')
      await once(socket, 'data')
    }
    t.ok(sockets.every((socket) => !socket.destroyed))
  }
})
