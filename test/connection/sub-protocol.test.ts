import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { connectionRig } from '../support/connection-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

const rig = await connectionRig(t)

/** The answer to an upgrade request that ws's own client would not send, or not accept. */
async function upgrade(t: Test, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  const asked = request(`http://127.0.0.1:${rig.port}/ws`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
  asked.end()
  const [response, socket] = (await once(asked, 'upgrade')) as [IncomingMessage, Socket]
  t.teardown(() => socket.destroy())
  return response
}

await t.test("takes the first of the client's sub-protocols that it speaks", async (t) => {
  for (const [offered, chosen] of [
    [['v12.stomp', 'v11.stomp', 'v10.stomp'], 'v12.stomp'],
    [['v10.stomp', 'v12.stomp'], 'v10.stomp'],
    [['mqtt', 'v11.stomp'], 'v11.stomp'],
    [['V12.STOMP'], 'V12.STOMP'],
  ] as const) {
    const client = await StompClient.open(t, rig.url, { protocols: [...offered] })
    t.equal(client.webSocket.protocol, chosen, offered.join(','))
  }
})

await t.test('talks to a client that offers none', async (t) => {
  const client = await StompClient.open(t, rig.url, { protocols: [] })
  t.equal(client.webSocket.protocol, '')
  client.send('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  t.ok(await client.next('CONNECTED'))
})

await t.test('names none to a client that offers only others, which may then leave', async (t) => {
  const { statusCode, headers } = await upgrade(t, { 'sec-websocket-protocol': 'mqtt, v13.stomp' })
  t.equal(statusCode, 101)
  t.equal(headers['sec-websocket-protocol'], undefined)
})

await t.test('speaks the version of CONNECT, whatever the sub-protocol said', async (t) => {
  const client = await StompClient.open(t, rig.url, { protocols: ['v10.stomp'] })
  client.send('CONNECT', ['accept-version', '1.0,1.1,1.2', 'login', 'alice'])
  t.match((await client.next('CONNECTED')).headers, ['version', '1.2'])
})

await t.test('offers no compression', async (t) => {
  const { headers } = await upgrade(t, { 'sec-websocket-extensions': 'permessage-deflate' })
  t.equal(headers['sec-websocket-extensions'], undefined)
})
