import { WebSocket } from 'ws'
import t from 'tap'
import { Type } from 'typebox'
import { rawSocket } from '../../src/connection/raw-socket.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { header } from '../../protocol/frame.ts'
import { connectionRig } from '../support/connection-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'

const CONNECT = 'CONNECT\naccept-version:1.2\nlogin:alice\n\n\0'
const MIB = 1024 * 1024

/** Opens a WebSocket that offers compression. */
async function open(t: Tap, url: string): Promise<{ client: StompClient; isCompressed: boolean }> {
  const client = await StompClient.open(t, url)
  return { client, isCompressed: client.webSocket.extensions === 'permessage-deflate' }
}

interface Tap {
  teardown(fn: () => void | Promise<void>): void
}

await t.test('compresses nothing unless told to', async (t) => {
  const { url } = await connectionRig(t)
  const { isCompressed } = await open(t, url)
  t.equal(isCompressed, false)
})

await t.test('reads what is compressed, and sends to the same client what is not', async (t) => {
  const { url } = await connectionRig(t, { upgrade: { compression: true } })
  const { client, isCompressed } = await open(t, url)
  t.equal(isCompressed, true)
  client.webSocket.send(CONNECT, { compress: true })
  await client.next('CONNECTED')
  await client.subscribe('s', '/topic/a')
  for (const text of ['x'.repeat(60_000), 'short', 'y'.repeat(60_000)]) {
    client.webSocket.send(`SEND\ndestination:/topic/a\n\n${text}\0`, { compress: true })
    t.equal(Buffer.from((await client.next('MESSAGE')).body).toString(), text)
  }
  t.match(await client.close(), { code: 1005 })
})

await t.test('closes a bomb with 1009 before CONNECT as soon as it is beyond 16 KiB', async (t) => {
  const { url } = await connectionRig(t, { upgrade: { compression: true } })
  const { client } = await open(t, url)
  client.webSocket.send(Buffer.alloc(15 * MIB, '\n'), { compress: true })
  t.equal((await client.closed).code, 1009)
  const enough = (await open(t, url)).client
  enough.webSocket.send('\n'.repeat(16_384 - CONNECT.length) + CONNECT, { compress: true })
  t.ok(await enough.next('CONNECTED'))
  const over = (await open(t, url)).client
  over.webSocket.send('\n'.repeat(16_385 - CONNECT.length) + CONNECT, { compress: true })
  t.equal((await over.closed).code, 1009)
})

await t.test('closes a bomb of a connected client with 1009, in bounded memory', async (t) => {
  const { url, connections } = await connectionRig(t, { upgrade: { compression: true } })
  const bystander = await StompClient.connect(t, url, { login: 'bob' })
  const bombs = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { client } = await open(t, url)
      client.webSocket.send(CONNECT, { compress: true })
      await client.next('CONNECTED')
      return client
    }),
  )
  // Some 200 KiB on the wire each, 200 MiB of line feeds behind it.
  const bomb = Buffer.alloc(200 * MIB, '\n')
  const [first, ...others] = bombs
  first?.webSocket.send(bomb, { compress: true })
  await first?.closed
  const residentBefore = process.memoryUsage().rss
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5)
  t.teardown(() => clearInterval(timer))
  for (const client of others) client.webSocket.send(bomb, { compress: true })
  for (const { closed } of bombs) t.equal((await closed).code, 1009)
  t.ok(most - residentBefore < 150 * MIB, `${(most - residentBefore) / MIB} MiB more, of 600 in the bombs`)
  t.equal(connections.size, 1)
  t.equal(bystander.webSocket.readyState, WebSocket.OPEN)
  await bystander.subscribe('s', '/topic/a')
})

/** Sends messages, compressed, so that they arrive in one read. */
async function sendAtOnce({ webSocket }: StompClient, messages: readonly string[]): Promise<void> {
  const socket = rawSocket(webSocket)
  socket.cork()
  for (const message of messages) webSocket.send(message, { compress: true })
  await until(() => webSocket.bufferedAmount === socket.writableLength)
  t.ok(socket.writableLength < 60_000, `${socket.writableLength} bytes`)
  socket.uncork()
}

/** A handler that keeps frames waiting until it is told to go on, which holds for those that have come. */
async function slowRig(t: Tap) {
  let gate = deferred()
  const { url, app, metrics } = await connectionRig(t, { upgrade: { compression: true } })
  let handled = 0
  app.message('/app/slow', {
    payload: Type.Unknown(),
    handle: async () => {
      await gate.promise
      handled += 1
    },
  })
  const { client } = await open(t, url)
  client.webSocket.send(CONNECT, { compress: true })
  await client.next('CONNECTED')
  const goOn = (): void => {
    gate.resolve()
    gate = deferred()
  }
  return { client, goOn, received: () => metrics.hot.framesReceived, handled: () => handled }
}

const SEND = 'SEND\ndestination:/app/slow\n\n1\0'

await t.test('closes with 1009 where one read holds more than may wait', async (t) => {
  const { client } = await slowRig(t)
  // Line feeds are no frames, but the frame behind them keeps them.
  const message = '\n'.repeat(250_000) + SEND
  await sendAtOnce(client, [SEND.repeat(100), ...Array.from({ length: 40 }, () => message)])
  const error = await client.next('ERROR')
  t.equal(header(error.headers, 'message'), 'too much at once')
  t.equal((await client.closed).code, 1009)
})

await t.test('closes with 1009 where frames that wait are too many, however small', async (t) => {
  const { client } = await slowRig(t)
  const ack = 'ACK\nid:1\n\n\0'
  await sendAtOnce(client, [SEND.repeat(100), ack.repeat(22_000)])
  const error = await client.next('ERROR')
  t.equal(header(error.headers, 'message'), 'too much at once')
  t.equal((await client.closed).code, 1009)
})

await t.test('takes as much as may wait, again and again', async (t) => {
  const { client, goOn, received, handled } = await slowRig(t)
  const message = '\n'.repeat(250_000) + SEND
  for (let round = 1; round <= 3; round += 1) {
    await sendAtOnce(client, [SEND.repeat(100), message, message, message, message])
    await until(() => received() === 1 + 104 * round)
    await until(() => {
      goOn()
      return handled() === 104 * round
    })
  }
  t.match(await client.close(), { code: 1005 })
})
