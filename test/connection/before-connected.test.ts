import { once } from 'node:events'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { connectionRig } from '../support/connection-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

await t.test('closes a socket that says nothing in time', async (t) => {
  const { url } = await connectionRig(t, { limits: { connectMs: 200 } })
  const openedAt = performance.now()
  const client = await StompClient.open(t, url)
  const error = await client.next('ERROR')
  t.equal(header(error.headers, 'message'), 'no CONNECT in time')
  t.equal((await client.closed).code, 1002)
  t.ok(performance.now() - openedAt >= 199)
})

await t.test('closes a socket whose CONNECT is half said, or under way for too long', async (t) => {
  const asked = deferred()
  const { url } = await connectionRig(t, {
    limits: { connectMs: 200 },
    // The credentials are asked for and no answer comes.
    interceptors: [
      () => {
        asked.resolve()
        return deferred().promise
      },
    ],
  })
  const half = await StompClient.open(t, url)
  half.sendRaw('CONNECT\naccept-version:1.2\n')
  const waiting = await StompClient.open(t, url)
  waiting.send('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  await asked.promise
  for (const client of [half, waiting]) {
    t.match(header((await client.next('ERROR')).headers, 'message'), 'no CONNECT in time')
    t.equal((await client.closed).code, 1002)
  }
})

await t.test('lets a connected session live beyond that time', async (t) => {
  const { url } = await connectionRig(t, { limits: { connectMs: 300 } })
  const client = await StompClient.connect(t, url, { login: 'alice' })
  const silent = await StompClient.open(t, url)
  await silent.closed
  await client.subscribe('s', '/topic/a')
  t.notOk(client.inbox.some(({ command }) => command === 'ERROR'))
})

await t.test('reads 16 KiB before CONNECTED and no more', async (t) => {
  const { url } = await connectionRig(t)
  const connect = 'CONNECT\naccept-version:1.2\nlogin:alice\n\n\0'
  const enough = await StompClient.open(t, url)
  enough.sendRaw('\n'.repeat(16_384 - connect.length) + connect)
  t.ok(await enough.next('CONNECTED'))
  const text = '\n'.repeat(16_385 - connect.length) + connect
  const tooMuch = await StompClient.open(t, url)
  for (let at = 0; at < text.length; at += 5000) tooMuch.sendRaw(text.slice(at, at + 5000))
  const error = await tooMuch.next('ERROR')
  t.equal(header(error.headers, 'message'), 'too many bytes before CONNECTED')
  t.equal((await tooMuch.closed).code, 1002)
  const atOnce = await StompClient.open(t, url)
  atOnce.sendRaw(text)
  t.equal((await atOnce.closed).code, 1009, 'one message of that size is not even read')
})

await t.test('has no such budget for a connected session', async (t) => {
  const { url } = await connectionRig(t)
  const client = await StompClient.connect(t, url, { login: 'alice' })
  await client.subscribe('s', '/topic/big')
  client.send('SEND', ['destination', '/topic/big'], 'x'.repeat(50_000))
  t.equal((await client.next('MESSAGE')).body.byteLength, 50_000)
})

await t.test('gives everything back when a client leaves before it is connected', async (t) => {
  const { url, connections } = await connectionRig(t)
  const client = await StompClient.open(t, url)
  t.equal(connections.size, 1)
  client.webSocket.terminate()
  await once(client.webSocket, 'close')
  await connections.drain(0)
  t.equal(connections.size, 0)
})
