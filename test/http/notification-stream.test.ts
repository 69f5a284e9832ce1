import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import t from 'tap'
import { Value } from 'typebox/value'
import { FEED_CONNECTED } from '../../protocol/payload/event-stream.ts'
import { useRelay } from '../support/relay.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { metric, until } from '../support/until.ts'

const APP = 'https://app.example.com'
const relay = await useRelay(t, {
  AUTH_JWT_SECRET: TEST_SECRET,
  ALLOWED_ORIGINS: APP,
  DEMO_ACCOUNTS: 'on',
})
const STREAM = `${relay.address}/api/v1/notifications/stream`

const bearer = async (name: string, role: 'user' | 'service' | 'admin' = 'user') => ({
  authorization: `Bearer ${await testToken(name, role)}`,
})
const alice = await bearer('alice')
const root = await bearer('root', 'admin')
const service = await StompClient.connect(t, relay.url, { login: 'orders' })

async function announce(title: string): Promise<string> {
  const response = await fetch(`${relay.address}/api/v1/admin/broadcasts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...root },
    body: JSON.stringify({ title, message: 'm' }),
  })
  return ((await response.json()) as { eventId: string }).eventId
}

async function order(orderId: string, userId = 'alice'): Promise<void> {
  await service.ask(
    'SEND',
    ['destination', '/queue/user'],
    JSON.stringify({ orderId, userId, status: 'PLACED' }),
  )
}

/** Reads on until an announcement of this title has come. */
async function readUntil(reader: SseReader, title: string): Promise<void> {
  while (((await reader.nextJson()).data as { title?: string }).title !== title);
}

await t.test('brings a user everything that is theirs, and nothing of others', async (t) => {
  const reader = await SseReader.open(t, STREAM, alice)
  t.match(await reader.nextJson(), { event: 'connected', data: { user: 'alice', recovered: undefined } })
  await order('bobs', 'bob')
  await announce('to all')
  await order('1')
  const events = [await reader.nextJson(), await reader.nextJson(), await reader.nextJson()]
  t.match(
    events.toSorted((a, b) => (a.event < b.event ? -1 : 1)),
    [
      { event: 'broadcast', data: { title: 'to all', message: 'm', type: 'INFO' } },
      { event: 'notification', data: { title: 'Order 1', type: 'ORDER' } },
      { event: 'order', data: { orderId: '1', userId: 'alice', status: 'PLACED' } },
    ],
  )
  t.equal(new Set(events.map(({ id }) => id)).size, 3, 'each with an id of its own')
})

await t.test('is an event stream whatever is accepted, and asks nobody in between to touch it', async (t) => {
  for (const accept of ['*/*', 'text/event-stream', 'application/json', '']) {
    const { response } = await SseReader.open(t, STREAM, { ...alice, accept })
    t.match(Object.fromEntries(response.headers), {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      vary: 'Origin',
    })
    t.notOk(response.headers.has('content-length'))
  }
  const reader = await SseReader.open(t, STREAM, alice)
  await reader.next()
  t.ok(reader.retryMs! >= 1000 && reader.retryMs! <= 3000, 'says when to come back')
})

await t.test('lets in owners and admins by header and by URL, and no others', async (t) => {
  const token = alice.authorization.slice('Bearer '.length)
  const foreign = await bearer('orders', 'service')
  for (const [path, headers] of [
    ['', alice],
    ['/alice', alice],
    ['/alice', root],
    [`?access_token=${token}`, {}],
    [`/alice?token=${token}`, {}],
    [`?access_token=${token}&token=nonsense`, {}],
    ['?token=nonsense', alice],
  ] as const) {
    const reader = await SseReader.open(t, STREAM + path, headers)
    t.same((await reader.nextJson()).data, { user: 'alice' }, path)
    await reader.close()
  }
  for (const [path, headers, status, code] of [
    ['', {}, 401, 'unauthenticated'],
    ['?token=nonsense', {}, 401, 'unauthenticated'],
    ['/alice', await bearer('bob'), 403, 'forbidden'],
    ['/alice', foreign, 403, 'forbidden'],
    ['/nobody', await bearer('bob'), 403, 'forbidden'],
    ['/a%20b', root, 404, 'not-found'],
    [`/${'x'.repeat(65)}`, root, 404, 'not-found'],
    ['/a/b', root, 404, 'not-found'],
    ['?token=a&token=b', {}, 400, 'invalid-query'],
    ['?lastEventId=a&lastEventId=b', alice, 400, 'invalid-query'],
  ] as const) {
    const response = await fetch(STREAM + path, { headers })
    t.equal(response.status, status, path)
    t.match(response.headers.get('content-type'), /^application\/problem\+json/)
    t.equal(response.headers.get('www-authenticate'), status === 401 ? 'Bearer' : null)
    const text = await response.text()
    t.match(JSON.parse(text), { status, code, title: /./ }, path)
    t.notMatch(text, /nonsense/)
  }
  t.equal((await fetch(STREAM, { method: 'HEAD', headers: alice })).status, 404)
})

await t.test('shows an admin the events of somebody else', async (t) => {
  const reader = await SseReader.open(t, `${STREAM}/carol`, root)
  t.match(await reader.nextJson(), { event: 'connected', data: { user: 'carol' } })
  await order('carols', 'carol')
  const events = [(await reader.next()).event, (await reader.next()).event]
  t.same(events.toSorted(), ['notification', 'order'])
})

await t.test('resumes by header and by URL, and the header wins', async (t) => {
  const first = await SseReader.open(t, STREAM, alice)
  const { id: before } = await first.next()
  await first.close()
  await announce('missed')
  for (const [query, headers] of [
    ['', { 'last-event-id': before }],
    [`?lastEventId=${before}`, {}],
    [`?lastEventId=${encodeURIComponent(before)}`, { 'last-event-id': '' }],
    ['?lastEventId=nonsense', { 'last-event-id': before }],
  ] as const) {
    const reader = await SseReader.open(t, STREAM + query, { ...alice, ...headers })
    const connected = await reader.nextJson()
    t.match(connected, { event: 'connected', id: before, data: { user: 'alice', recovered: true } })
    t.notOk('reason' in connected.data)
    t.match(await reader.nextJson(), { event: 'broadcast', data: { title: 'missed' } })
    await reader.close()
  }
})

await t.test('resumes from `connected` where nothing came after it', async (t) => {
  for (let i = 0; i < 3; i++) {
    const before = await SseReader.open(t, STREAM, alice)
    const { id } = await before.next()
    await before.close()
    await announce(`while away ${i}`)
    const after = await SseReader.open(t, STREAM, { ...alice, 'last-event-id': id })
    t.match(await after.nextJson(), { id, data: { recovered: true } })
    t.match(await after.nextJson(), { event: 'broadcast', data: { title: `while away ${i}` } })
    await after.close()
  }
})

await t.test('says why it cannot resume, which streams, and goes on with what is new', async (t) => {
  const bob = await SseReader.open(t, STREAM, await bearer('bob'))
  const { id: bobs } = await bob.next()
  const own = await SseReader.open(t, STREAM, alice)
  const { id } = await own.next()
  const parts = id.split(',')
  const [, broadcasts = '', orders = ''] = parts
  const later = (part: string): string => part.replace(/:.*/, ':999999')
  const old = (part: string): string => part.replace(/^..../, 'oldx')
  const all = (reason: string) => ({
    notification: reason,
    broadcast: reason,
    order: reason,
    operation: reason,
  })
  for (const [what, given, reasons] of [
    ['nonsense', 'nonsense', all('malformed')],
    ['half nonsense', `${id},`, all('malformed')],
    ['a negative offset', broadcasts.replace(':', ':-'), all('malformed')],
    ['a very long one', `${id},`.repeat(40).slice(0, -1), all('malformed')],
    ['many', Array.from({ length: 20 }, () => broadcasts).join(), all('malformed')],
    ['one from the future', parts.with(1, later(broadcasts)).join(), { broadcast: 'malformed' }],
    ['all of an old epoch', parts.map(old).join(), all('unknown-epoch')],
    ['one of an old epoch', parts.with(2, old(orders)).join(), { order: 'unknown-epoch' }],
    [
      'that of another user',
      bobs,
      { notification: 'unknown-epoch', order: 'unknown-epoch', operation: 'unknown-epoch' },
    ],
    ['of no stream here', 'abcdefgh0000000:1', all('unknown-epoch')],
  ] as const) {
    const reader = await SseReader.open(t, STREAM, { ...alice, 'last-event-id': given })
    const connected = await reader.nextJson()
    t.match(connected, { event: 'connected', data: { recovered: false } }, what)
    t.same(connected.data['reasons'], reasons, what)
    t.ok(Value.Check(FEED_CONNECTED, connected.data), 'as PROTOCOL.md has it')
    t.equal(connected.data['reason'], Object.values(reasons)[0], what)
    await announce(what)
    await readUntil(reader, what)
    await reader.close()
    const again = await SseReader.open(t, STREAM, { ...alice, 'last-event-id': connected.id })
    t.match(await again.nextJson(), { data: { recovered: true } }, `${what}: the new id is good`)
    await readUntil(again, what)
    await again.close()
  }
})

await t.test('takes the ids in any order, and the id of a single stream', async (t) => {
  const reader = await SseReader.open(t, STREAM, alice)
  const { id } = await reader.next()
  const eventId = await announce('seen elsewhere')
  await announce('missed')
  await reader.close()
  const turned = await SseReader.open(t, STREAM, {
    ...alice,
    'last-event-id': id.split(',').toReversed().join(),
  })
  t.match(await turned.nextJson(), { id, data: { recovered: true } })
  t.match(await turned.nextJson(), { data: { title: 'seen elsewhere' } })
  const single = await SseReader.open(t, STREAM, { ...alice, 'last-event-id': eventId })
  t.match(await single.nextJson(), { data: { recovered: true } })
  t.match(await single.nextJson(), { data: { title: 'missed' } })
})

await t.test('lets pages of allowed origins read it, refusals included, and no others', async (t) => {
  const reader = await SseReader.open(t, STREAM, { ...alice, origin: APP })
  t.equal(reader.response.headers.get('access-control-allow-origin'), APP)
  const unknown = await fetch(STREAM, { headers: { origin: APP } })
  t.equal(unknown.status, 401)
  t.equal(unknown.headers.get('access-control-allow-origin'), APP)
  const other = await SseReader.open(t, STREAM, { ...alice, origin: 'https://evil.example.com' })
  t.equal(other.response.headers.get('access-control-allow-origin'), null)
  for (const path of ['/stream', '/stream/alice', '/poll']) {
    const url = `${relay.address}/api/v1/notifications${path}`
    const headers = { 'access-control-request-method': 'GET' }
    const allowed = await fetch(url, { method: 'OPTIONS', headers: { ...headers, origin: APP } })
    t.equal(allowed.status, 204, path)
    t.match(Object.fromEntries(allowed.headers), {
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': /authorization, last-event-id/,
      'access-control-max-age': '600',
      vary: 'Origin',
    })
    const evil = { ...headers, origin: 'https://evil.example.com' }
    const refused = await fetch(url, { method: 'OPTIONS', headers: evil })
    t.equal(refused.status, 403, path)
    t.equal(refused.headers.get('access-control-allow-origin'), null)
  }
})

await t.test('gives everything back when the reader leaves, however early', async (t) => {
  const feeds = async (): Promise<number> => metric(relay.address, 'stomp_relay_feeds')
  await until(async () => (await feeds()) === 0)
  for (let i = 0; i < 20; i++) {
    const asked = request(STREAM, { headers: alice })
    asked.on('error', () => undefined)
    asked.end()
    await once(asked, 'socket')
    if (i % 2 === 0) await once(asked, 'finish')
    else t.equal(((await once(asked, 'response')) as [IncomingMessage])[0].statusCode, 200)
    asked.destroy()
  }
  await until(async () => (await feeds()) === 0)
  t.equal(await metric(relay.address, 'stomp_relay_sessions'), 1, 'the service alone')
  const reader = await SseReader.open(t, STREAM, alice)
  await reader.next()
  t.equal(await feeds(), 1)
  await announce('still well')
  await readUntil(reader, 'still well')
})
