import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const relay = await useRelay(t)

await t.test(
  'stores a message to /app/messages and relays it to every subscriber of /topic/messages',
  async (t) => {
    const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
    const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
    await alice.subscribe('a', '/topic/messages')
    await bob.subscribe('b', '/topic/messages')
    await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"hello","sender":"mallory"}')
    const { frame, payload } = await bob.message('b')
    t.match(payload, { content: 'hello', sender: 'alice', status: 'SENT', id: String, timestamp: String })
    t.equal(header(frame.headers, 'destination'), '/topic/messages')
    t.equal(header(frame.headers, 'content-type'), 'application/json')
    t.match(header(frame.headers, 'event-id'), /^[\w-]+:1$/)
    t.same((await alice.message('a')).payload, payload)
    await bob.ask('SEND', ['destination', '/app/send'], '{"content":"by the older name"}')
    const second = await alice.message('a')
    t.match(second.payload, { content: 'by the older name', sender: 'bob' })
    t.match(header(second.frame.headers, 'event-id'), /^[\w-]+:2$/)
  },
)

await t.test('keeps the order of a burst larger than what may be under way', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('a', '/topic/rooms.burst')
  const contents = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
  for (const content of contents) {
    alice.send('SEND', ['destination', '/app/rooms/burst/messages'], JSON.stringify({ content }))
  }
  await alice.ask('SEND', ['destination', '/app/rooms/burst/messages'], '{"content":"last"}')
  const seen: unknown[] = []
  while (seen.length < 1001) seen.push((await alice.message('a')).payload['content'])
  t.same(seen, [...contents, 'last'])
})

await t.test('tells a fault to /user/queue/errors and lets the session live', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('errors', '/user/queue/errors')
  for (const [destination, body, code] of [
    ['/app/messages', 'not json', 'invalid-payload'],
    ['/app/messages', '{"content":""}', 'invalid-payload'],
    ['/app/messages', '{}', 'invalid-payload'],
    ['/app/nothing', '{}', 'unknown-destination'],
    ['/app/rooms/no%20room/messages', '{"content":"x"}', 'invalid-destination'],
    ['/topic/elsewhere', '{}', 'forbidden'],
    ['/queue/user', '{}', 'forbidden'],
  ] as const) {
    alice.send('SEND', ['destination', destination, 'receipt', 'r'], body)
    const { payload } = await alice.message('errors')
    t.match(payload, { code, destination, receipt: 'r', message: String }, `${destination} ${body}`)
  }
  t.ok(await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"still here"}'))
  t.notOk(alice.inbox.some(({ command }) => command === 'ERROR'))
})

await t.test('tells a fault by ERROR and close to a client that does not listen for faults', async (t) => {
  const plain = await StompClient.connect(t, relay.url, { login: 'alice' })
  plain.send('SEND', ['destination', '/app/messages', 'receipt', 'r-9'], '{}')
  const { headers } = await plain.next('ERROR')
  t.match(header(headers, 'message'), /invalid-payload/)
  t.equal(header(headers, 'receipt-id'), 'r-9')
  t.equal((await plain.closed).code, 1008)
})

await t.test('ends the session where SEND has no destination', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  client.send('SEND', [], 'where to?')
  t.match(header((await client.next('ERROR')).headers, 'message'), /missing header.*destination/)
  t.equal((await client.closed).code, 1002)
})

await t.test('refuses a frame above the limit with 1009', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  client.send('SEND', ['destination', '/app/messages'], 'x'.repeat(70_000))
  t.match(header((await client.next('ERROR')).headers, 'message'), /frame too large/)
  t.equal((await client.closed).code, 1009)
})

await t.test(
  'passes on what a service publishes to a topic, and to a user, without reserved headers',
  async (t) => {
    const service = await StompClient.connect(t, relay.url, { login: 'orders' })
    const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
    await service.subscribe('t', '/topic/prices.*')
    await bob.subscribe('n', '/user/queue/notifications')
    const headers = ['priority', '4', 'x-color', 'red', 'event-id', 'forged:1', 'x-relay-origin', 'forged']
    await service.ask('SEND', ['destination', '/topic/prices.tea', ...headers], 'three')
    const { headers: got, body } = await service.next('MESSAGE')
    t.equal(Buffer.from(body).toString(), 'three')
    t.equal(header(got, 'destination'), '/topic/prices.tea')
    t.equal(header(got, 'x-color'), 'red')
    t.equal(header(got, 'event-id'), undefined)
    t.equal(header(got, 'x-relay-origin'), undefined)
    t.equal(header(got, 'receipt'), undefined)
    await service.ask('SEND', ['destination', '/user/bob/queue/notifications'], '{"title":"hi"}')
    const { frame, payload } = await bob.message('n')
    t.equal(header(frame.headers, 'destination'), '/user/queue/notifications')
    t.same(payload, { title: 'hi' })
  },
)

await t.test('sends a body that is no UTF-8 as a binary frame, and any other as text', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.subscribe('t', '/topic/bytes')
  service.send('SEND', ['destination', '/topic/bytes'], new Uint8Array([0, 255, 254]))
  const { body } = await service.next('MESSAGE')
  t.same([...body], [0, 255, 254])
  t.equal(service.wasBinary, true)
  service.send('SEND', ['destination', '/topic/bytes'], 'text')
  await service.next('MESSAGE')
  t.equal(service.wasBinary, false)
  service.send('SEND', ['destination', '/topic/bytes', 'content-type', 'application/octet-stream'], 'text')
  await service.next('MESSAGE')
  t.equal(service.wasBinary, true)
})

await t.test(
  'delivers a private message to the receiver and to the sender, and to nobody else',
  async (t) => {
    const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
    const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
    await alice.subscribe('p', '/user/queue/messages')
    await alice.subscribe('m', '/topic/messages')
    await bob.subscribe('p', '/user/queue/messages')
    await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"psst","receiver":"bob"}')
    t.match((await bob.message('p')).payload, { content: 'psst', sender: 'alice', receiver: 'bob' })
    t.match((await alice.message('p')).payload, { content: 'psst', sender: 'alice', receiver: 'bob' })
    await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"aloud"}')
    t.equal((await alice.message('m')).payload['content'], 'aloud')
  },
)
