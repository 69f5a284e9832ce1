import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { rawSocket } from '../../src/connection/raw-socket.ts'
import { connectionRig } from '../support/connection-rig.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric, until } from '../support/until.ts'

interface Refusal {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly problem: Record<string, unknown>
}

/** How an upgrade request is refused. */
async function refusal(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Refusal> {
  const asked = request(url.replace('ws:', 'http:'), {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
  asked.end()
  const [response] = (await Promise.race([
    once(asked, 'response'),
    once(asked, 'upgrade').then(() => Promise.reject(new Error('it was let in'))),
  ])) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, problem: JSON.parse(text) as never }
}

await t.test('lets in pages of its own and of allowed origins, and no others', async (t) => {
  const relay = await useRelay(t, {
    ALLOWED_ORIGINS: 'https://app.example.com,https://*.example.org',
    DEMO_ACCOUNTS: 'on',
  })
  for (const origin of [relay.address, 'https://app.example.com', 'https://a.example.org']) {
    const client = await StompClient.open(t, relay.url, { headers: { origin } })
    t.ok(await client.close(), origin)
  }
  for (const origin of [
    'https://evil-example.org',
    'https://example.org',
    'http://app.example.com',
    'null',
  ]) {
    const { status, headers, problem } = await refusal(relay.url, { origin })
    t.equal(status, 403, origin)
    t.match(headers['content-type'], 'application/problem+json')
    t.equal(headers.connection, 'close', 'as the socket is')
    t.match(problem, { status: 403, code: 'origin-not-allowed', title: 'Forbidden' })
  }
  t.equal(await metric(relay.address, 'stomp_relay_connections_refused_total{reason="origin"}'), 4)
})

await t.test('takes as many connections as it may, and asks others to come later', async (t) => {
  const relay = await useRelay(t, { LIMIT_CONNECTIONS: '2' })
  const first = await StompClient.open(t, relay.url)
  const second = await StompClient.connect(t, relay.url, { login: 'alice' })
  const { status, headers, problem } = await refusal(relay.url)
  t.equal(status, 503)
  t.equal(headers['retry-after'], '5')
  t.match(problem, { status: 503, code: 'no-connections', title: 'Service Unavailable' })
  t.equal(await metric(relay.address, 'stomp_relay_connections_refused_total{reason="connections"}'), 1)
  t.equal(await metric(relay.address, 'stomp_relay_connections'), 2)
  await first.close()
  await until(async () => (await metric(relay.address, 'stomp_relay_connections')) === 1)
  const third = await StompClient.connect(t, relay.url, { login: 'bob' })
  await second.subscribe('s', '/topic/messages')
  await third.ask('SEND', ['destination', '/app/messages'], '{"content":"hello"}')
  t.equal((await second.message('s')).payload['content'], 'hello')
})

await t.test('takes as many of an address that are not CONNECTED as the settings say', async (t) => {
  const relay = await useRelay(t, { LIMIT_CONNECTING_PER_ADDRESS: '2', TRUST_PROXY: '127.0.0.1' })
  const from = (address: string) => ({ 'x-forwarded-for': address })
  for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1']) {
    t.ok(await StompClient.open(t, relay.url, { headers: from(address) }), address)
  }
  const { status, headers, problem } = await refusal(relay.url, from('2001:db8::3'))
  t.equal(status, 429)
  t.equal(headers['retry-after'], '5')
  t.match(problem, { status: 429, code: 'too-many-connecting', title: 'Too Many Requests' })
  t.equal(await metric(relay.address, 'stomp_relay_connections_refused_total{reason="connecting"}'), 1)
})

await t.test('goes on counting for a while who comes to nothing, and not who was CONNECTED', async (t) => {
  const long = await connectionRig(t, { upgrade: { maxConnectingPerAddress: 1, failedCountsMs: 600_000 } })
  const connected = await StompClient.connect(t, long.url, { login: 'alice' })
  await connected.close()
  const silent = await StompClient.open(t, long.url)
  await silent.close()
  t.match(await refusal(long.url), { status: 429, problem: { code: 'too-many-connecting' } })

  const short = await connectionRig(t, { upgrade: { maxConnectingPerAddress: 1, failedCountsMs: 1 } })
  const gone = await StompClient.open(t, short.url)
  await gone.close()
  const isLetIn = async (): Promise<boolean> =>
    StompClient.open(t, short.url).then(
      () => true,
      () => false,
    )
  await until(isLetIn)
  t.equal(short.connections.size, 1)
})

await t.test('lets a few of an address wait for their refusal, and tells the rest at once', async (t) => {
  const { url } = await connectionRig(t, { upgrade: { maxConnectingPerAddress: 0 } })
  const beganMs = performance.now()
  const tookMs = await Promise.all(
    Array.from({ length: 24 }, async () => {
      await refusal(url)
      return performance.now() - beganMs
    }),
  )
  const order = tookMs.toSorted((a, b) => a - b)
  // Those that waited came behind the others, however busy the machine is.
  t.ok((order[8] ?? 0) >= 999, 'sixteen waited')
  t.ok((order[7] ?? 0) < (order[8] ?? 0), 'eight did not')
})

await t.test('counts no WebSocket among the idle connections of its address', async (t) => {
  const relay = await useRelay(t, { LIMIT_CONNECTIONS_PER_ADDRESS: '2' })
  for (const login of ['alice', 'bob', 'orders']) await StompClient.connect(t, relay.url, { login })
  t.equal(await metric(relay.address, 'stomp_relay_connections'), 3)
  t.ok(await StompClient.connect(t, relay.url, { login: 'admin' }), 'beside what asks for metrics')
})

await t.test('tells whoever asks without upgrading what to do', async (t) => {
  const { address } = await useRelay(t)
  const response = await fetch(`${address}/ws`)
  t.equal(response.status, 426)
  t.equal(response.headers.get('upgrade'), 'websocket')
  t.match(response.headers.get('content-type'), 'application/problem+json')
  t.match(await response.json(), { status: 426, code: 'upgrade-required', title: 'Upgrade Required' })
})

await t.test('serves every endpoint that is configured, and upgrades nowhere else', async (t) => {
  const relay = await useRelay(t, { STOMP_ENDPOINTS: '/stomp,/api/v1/chat/ws' })
  const base = relay.address.replace('http', 'ws')
  const one = await StompClient.connect(t, `${base}/stomp`, { login: 'alice' })
  const two = await StompClient.connect(t, `${base}/api/v1/chat/ws?access=none`, { login: 'bob' })
  await one.subscribe('s', '/topic/messages')
  await two.ask('SEND', ['destination', '/app/messages'], '{"content":"across"}')
  t.equal((await one.message('s')).payload['content'], 'across')
  for (const path of ['/ws', '/', '/healthz', '/stomp/']) {
    t.match(await refusal(base + path), { status: 404, problem: { code: 'not-found' } }, path)
  }
})

await t.test('closes with 1009 where a WebSocket message is too large even to refuse politely', async (t) => {
  const relay = await useRelay(t)
  const bystander = await StompClient.connect(t, relay.url, { login: 'bob' })
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  client.sendRaw('\n'.repeat(4 * 65_536 + 1))
  t.equal((await client.closed).code, 1009)
  const atTheBound = await StompClient.connect(t, relay.url, { login: 'alice' })
  atTheBound.sendRaw('\n'.repeat(4 * 65_536))
  await atTheBound.subscribe('s', '/topic/messages')
  await bystander.ask('SEND', ['destination', '/app/messages'], '{"content":"still here"}')
  t.equal((await atTheBound.message('s')).payload['content'], 'still here')
})

await t.test('does not read on what such a client still sends, but hears it go', async (t) => {
  const { url, server, connections } = await connectionRig(t)
  const client = await StompClient.open(t, url)
  const [webSocket] = server.websocketServer.clients
  const socket = rawSocket(webSocket!)
  const paused = once(socket, 'pause')
  client.sendRaw('\n'.repeat(4 * 65_536 + 1))
  await paused
  t.equal((await client.closed).code, 1009)
  await until(() => connections.size === 0)
})

await t.test('takes frames up to the limit of the settings, and says ERROR beyond it', async (t) => {
  const relay = await useRelay(t, { LIMIT_FRAME_BYTES: '16384' })
  const client = await StompClient.connect(t, relay.url, { login: 'orders' })
  await client.subscribe('s', '/topic/a')
  const head = 'SEND\ndestination:/topic/a\n\n'
  client.sendRaw(`${head}${'x'.repeat(16_384 - head.length - 1)}\0`)
  t.ok((await client.next('MESSAGE')).body.byteLength > 16_000)
  client.sendRaw(`${head}${'x'.repeat(16_384 - head.length)}\0`)
  t.match(header((await client.next('ERROR')).headers, 'message'), 'frame too large')
  t.equal((await client.closed).code, 1009)
})

await t.test('says goodbye with 1001 to all when it stops, is not ready, and takes no more', async (t) => {
  const relay = await useRelay(t, { DRAIN_MS: '100' })
  const clients = await Promise.all(
    Array.from({ length: 10 }, () => StompClient.connect(t, relay.url, { login: 'alice' })),
  )
  const unconnected = await StompClient.open(t, relay.url)
  // One that does not answer the goodbye keeps the node draining for a while.
  const deaf = await StompClient.connect(t, relay.url, { login: 'bob' })
  deaf.webSocket.pause()
  const closed = relay.close()
  t.equal(relay.close(), closed, 'a second call changes nothing')
  for (const client of [...clients, unconnected]) {
    t.match(await client.closed, { code: 1001, reason: 'server is shutting down' })
  }
  const ready = await fetch(`${relay.address}/readyz`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { status: 'not-ready', isDraining: true })
  t.match(await refusal(relay.url), { status: 503, headers: { 'retry-after': '5' } })
  await closed
  await t.rejects(fetch(`${relay.address}/healthz`))
})

await t.test('closes also a connection that was let in just before it began to stop', async (t) => {
  let draining: Promise<void> | undefined
  const { url } = await connectionRig(t, {
    prepare: ({ server, connections }) => {
      server.addHook('preHandler', async () => {
        draining ??= connections.drain(0)
      })
    },
  })
  const client = await StompClient.open(t, url)
  t.equal((await client.closed).code, 1001)
  await draining
})
