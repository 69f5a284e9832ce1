import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { FrameClock } from '../../src/connection/frame-clock.ts'
import { connectionRig, type ConnectionRig } from '../support/connection-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** A WebSocket of which the test writes every byte itself, after these bytes of it. */
async function upgraded(t: Teardown, { port }: ConnectionRig, ...bytes: Buffer[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => void socket.destroy())
  socket.on('error', () => undefined).setNoDelay()
  socket.write(
    'GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await once(socket, 'data')
  for (const each of bytes) socket.write(each)
  return socket
}

/** A message of fewer than 126 bytes, with a mask of zeros; `isLast` is false for a fragment of one. */
function message(text: string, { isLast = true, isFirst = true } = {}): Buffer {
  const first = (isLast ? 0x80 : 0) | (isFirst ? 1 : 0)
  return Buffer.concat([Buffer.from([first, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

const CONNECT = message('CONNECT\naccept-version:1.2\nlogin:alice\n\n\0')
/** The server's words up to ERROR, which is its last. */
async function ended(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (/ERROR[^]*\0/.test(text)) return text
  }
  return text
}

await t.test('closes a connected client whose message comes byte by byte and does not end', async (t) => {
  const rig = await connectionRig(t, { limits: { frameMs: 300 } })
  const socket = await upgraded(t, rig, CONNECT)
  const end = ended(socket)
  const slow = message(`SEND\ndestination:/topic/a\n\n${'x'.repeat(60)}\0`)
  let at = 0
  const timer = setInterval(() => {
    if (at < slow.length - 1) socket.write(slow.subarray(at, ++at))
  }, 20)
  t.teardown(() => clearInterval(timer))
  t.match(await end, 'message:frame did not come in time')
})

await t.test('closes one that holds back the end of a fragmented message, pings or not', async (t) => {
  const rig = await connectionRig(t, { limits: { frameMs: 300 } })
  const socket = await upgraded(t, rig, CONNECT, message('SEND\n', { isLast: false }))
  const end = ended(socket)
  const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
  const timer = setInterval(() => void socket.write(ping), 20)
  t.teardown(() => clearInterval(timer))
  t.match(await end, 'message:frame did not come in time')
})

await t.test('closes one whose frame comes in many messages and does not end', async (t) => {
  const { url } = await connectionRig(t, { limits: { frameMs: 300 } })
  const client = await StompClient.connect(t, url, { login: 'alice' })
  client.sendRaw('SEND\ndestination:/topic/a\n\n')
  const timer = setInterval(() => client.sendRaw('x'), 20)
  t.teardown(() => clearInterval(timer))
  const error = await client.next('ERROR')
  t.equal(header(error.headers, 'message'), 'frame did not come in time')
  t.equal((await client.closed).code, 1002)
})

await t.test('closes at the time for CONNECT one that says CONNECT byte by byte', async (t) => {
  const rig = await connectionRig(t, { limits: { connectMs: 300 } })
  const socket = await upgraded(t, rig)
  const end = ended(socket)
  let at = 0
  const timer = setInterval(() => {
    if (at < CONNECT.length - 1) socket.write(CONNECT.subarray(at, ++at))
  }, 20)
  t.teardown(() => clearInterval(timer))
  t.match(await end, 'message:no CONNECT in time')
})

await t.test('leaves alone whoever is slow and done in time, or says nothing at all', async (t) => {
  const rig = await connectionRig(t, { limits: { frameMs: 300 } })
  const silent = await StompClient.connect(t, rig.url, { login: 'bob' })
  const client = await StompClient.connect(t, rig.url, { login: 'alice' })
  await client.subscribe('s', '/topic/a')
  const watched = await StompClient.connect(t, rig.url, { login: 'carol' })
  // Well beyond the time in all, and each frame within it.
  for (let i = 0; i < 5; i++) {
    client.sendRaw('SEND\ndestination:/topic/a\n\n')
    client.sendRaw(`${i}\0`)
    await client.next('MESSAGE')
  }
  // One that is late tells that time enough has gone by.
  watched.sendRaw('SEND\n')
  await watched.closed
  await silent.subscribe('s', '/topic/a')
  await client.subscribe('t', '/topic/b')
})

await t.test('times a frame from the first look that found a part of it', async (t) => {
  const clock = new FrameClock(100)
  t.equal(clock.isLate(0, true), false)
  t.equal(clock.isLate(100, true), false, 'what lies on the bound passes')
  t.equal(clock.isLate(101, true), true)
  clock.whole()
  t.equal(clock.isLate(500, true), false, 'another one')
  t.equal(clock.isLate(550, false), false)
  t.equal(clock.isLate(650, true), false)
  t.equal(clock.isLate(751, true), true)
})

await t.test('takes a message in so many fragments, each of which costs more than its bytes', async (t) => {
  const { url } = await connectionRig(t)
  const inFragments = async (count: number): Promise<StompClient> => {
    const client = await StompClient.connect(t, url, { login: 'alice' })
    await client.subscribe('s', '/topic/a')
    const text = 'SEND\ndestination:/topic/a\n\n\0'
    for (let i = 0; i < count; i++) {
      const isLast = i === count - 1
      const part = isLast ? text.slice(count - 1) : (text[i] ?? '')
      client.webSocket.send(count > text.length ? '\n' : part, { fin: isLast })
    }
    return client
  }
  const enough = await inFragments(20)
  t.ok(await enough.next('MESSAGE'))
  const atTheBound = await inFragments(256)
  await atTheBound.subscribe('t', '/topic/b')
  const tooMany = await inFragments(257)
  t.equal((await tooMany.closed).code, 1008)
})

await t.test('takes so many of one address that are not CONNECTED, and others besides', async (t) => {
  const rig = await connectionRig(t, { upgrade: { maxConnectingPerAddress: 2, failedCountsMs: 1 } })
  const first = await StompClient.open(t, rig.url)
  const second = await StompClient.open(t, rig.url)
  await t.rejects(StompClient.open(t, rig.url), /429/)
  first.send('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  await first.next('CONNECTED')
  const third = await StompClient.open(t, rig.url)
  await t.rejects(StompClient.open(t, rig.url), /429/)
  second.webSocket.terminate()
  await until(() => rig.connections.size === 2)
  third.send('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  await third.next('CONNECTED')
  // Who ended so goes on counting for a moment.
  await until(async () =>
    StompClient.open(t, rig.url).then(
      () => true,
      () => false,
    ),
  )
  t.ok(await StompClient.open(t, rig.url))
  await t.rejects(StompClient.open(t, rig.url), /429/)
  t.match(await rig.metrics.text(), /connections_refused_total\{reason="connecting"\} ([3-9]|\d{2,})/)
})
