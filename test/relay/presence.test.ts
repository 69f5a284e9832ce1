import t, { type Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { PAYLOADS } from '../../protocol/payload-versions.ts'
import { Value } from 'typebox/value'
import { SseReader } from '../support/sse-reader.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { until } from '../support/until.ts'

// One node with the in-process broker and SQLite. What several nodes do is in nodes.test.ts.

t.setTimeout(120_000)

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET, NODE_ID: 'alone' })
const bearer = async (name: string, role: 'admin' | 'user' | 'service') => ({
  authorization: `Bearer ${await testToken(name, role)}`,
})
const [admin, user] = await Promise.all([bearer('root', 'admin'), bearer('carl', 'user')])

const connect = (test: Test, login: string): Promise<StompClient> =>
  StompClient.connect(test, relay.url, { login })

async function ask(
  path: string,
  options: { headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${relay.address}/api/v1${path}`, { headers: admin, ...options })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

async function items(path: string): Promise<Record<string, unknown>[]> {
  return (await ask(path)).body['items'] as Record<string, unknown>[]
}

/** What an answer to a SUBSCRIBE at `/app/…` lists. */
async function listed(client: StompClient, destination: string, ...headers: string[]): Promise<unknown[]> {
  const id = `${destination} ${headers.join()} ${Math.random()}`
  await client.subscribe(id, destination, headers)
  const { body } = await client.next('MESSAGE', (frame) => header(frame.headers, 'subscription') === id)
  return JSON.parse(Buffer.from(body).toString()) as unknown[]
}

const users = (list: readonly unknown[]): unknown[] => list.map((each) => (each as { user: string }).user)

/** The next announcements of a subscription, in short. */
async function told(client: StompClient, id: string, count: number): Promise<string[]> {
  const events: string[] = []
  while (events.length < count) {
    const { payload } = await client.message(id)
    events.push(`${String(payload['user'])} ${String(payload['type'])}`)
  }
  return events
}

/** The next announcement about somebody. */
async function about(client: StompClient, id: string, name: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { payload } = await client.message(id)
    if (payload['user'] === name) return payload
  }
}

function fits(name: string, value: unknown): boolean {
  const payload = PAYLOADS.find((each) => each.name === name)
  return payload !== undefined && Value.Check(payload.schema, value)
}

await t.test('tells a room who joins and who leaves, and everybody who is online', async (t) => {
  const watcher = await connect(t, 'alice')
  await watcher.subscribe('online', '/topic/presence')
  await watcher.subscribe('tea', '/topic/rooms.tea.presence')
  const bob = await connect(t, 'bob')
  await bob.subscribe('room', '/topic/rooms.tea')
  await bob.subscribe('again', '/topic/rooms.tea')
  const joined = await watcher.message('tea')
  t.match(joined.payload, { type: 'JOINED', user: 'bob', room: 'tea' })
  t.ok(fits('RoomPresence', joined.payload))
  const cameOnline = await about(watcher, 'online', 'bob')
  t.match(cameOnline, { user: 'bob', type: 'ONLINE' })
  t.ok(fits('OnlinePresence', cameOnline))
  await bob.ask('UNSUBSCRIBE', ['id', 'room'])
  t.same(users(await listed(bob, '/app/rooms/tea/participants')), ['bob'], 'by the other subscription')
  await bob.close()
  const left = await watcher.message('tea')
  t.match(left.payload, { type: 'LEFT', user: 'bob', room: 'tea' })
  t.match(await about(watcher, 'online', 'bob'), { type: 'OFFLINE' })
  await watcher.close()
})

await t.test('says nothing where a second tab closes or a client comes back within 5 s', async (t) => {
  const watcher = await connect(t, 'admin')
  await watcher.subscribe('tea', '/topic/rooms.tea.presence')
  const enter = async (login: string): Promise<StompClient> => {
    const client = await connect(t, login)
    await client.subscribe('room', '/topic/rooms.tea')
    return client
  }
  const tabs = [await enter('alice'), await enter('alice')]
  const bob = await enter('bob')
  t.same((await told(watcher, 'tea', 2)).toSorted(), ['alice JOINED', 'bob JOINED'])
  await tabs[0]?.close()
  const leftAtMs = performance.now()
  await bob.close()
  await enter('bob')
  const backAfterMs = performance.now() - leftAtMs
  // Whoever leaves after all that is told of first, if nobody else was to be told of.
  const orders = await enter('orders')
  const seen = await told(watcher, 'tea', 1)
  await orders.close()
  while (!seen.includes('orders LEFT')) seen.push(...(await told(watcher, 'tea', 1)))
  const others = seen.filter((event) => !event.startsWith('orders'))
  t.equal(seen.length - others.length, 2)
  t.ok(backAfterMs >= 5000 || others.length === 0, `came back after ${Math.round(backAfterMs)} ms`)
  t.ok(!others.some((event) => event.startsWith('alice')), 'the other tab keeps her there')
  t.same(users(await listed(watcher, '/app/rooms/tea/participants')), ['alice', 'bob'])
})

await t.test('answers who is there by name and in portions, and refuses what makes no sense', async (t) => {
  const alice = await connect(t, 'alice')
  for (const login of ['bob', 'orders', 'guest']) {
    await (await connect(t, login)).subscribe('room', '/topic/rooms.milk')
  }
  const all = await listed(alice, '/app/rooms/milk/participants')
  t.same(users(all), ['bob', 'guest', 'orders'])
  t.ok(all.every((each) => fits('Participant', each)))
  t.same(users(await listed(alice, '/app/rooms/milk/participants', 'limit', '1', 'after', 'bob')), ['guest'])
  t.same(await listed(alice, '/app/rooms/empty/participants'), [])
  const online = users(await listed(alice, '/app/presence'))
  for (const name of ['alice', 'bob', 'guest', 'orders']) t.ok(online.includes(name), name)
  await alice.subscribe('errors', '/user/queue/errors')
  for (const [destination, headers, code] of [
    ['/app/presence', ['limit', '0'], 'invalid-header'],
    ['/app/presence', ['limit', '1001'], 'invalid-header'],
    ['/app/rooms/a.b/participants', [], 'invalid-destination'],
  ] as const) {
    alice.send('SUBSCRIBE', ['id', 'x', 'destination', destination, ...headers])
    t.match((await alice.message('errors')).payload, { code, destination })
  }
  const page = await ask('/rooms/milk/participants?limit=2', { headers: user })
  t.same(users(page.body['items'] as unknown[]), ['bob', 'guest'])
  const rest = await ask(`/rooms/milk/participants?limit=2&cursor=${String(page.body['cursor'])}`)
  t.same(users(rest.body['items'] as unknown[]), ['orders'])
  t.equal(rest.body['cursor'], undefined)
  t.match(await ask('/rooms/a.b/participants'), { status: 404, body: { code: 'not-found' } })
  t.match(await ask('/rooms/milk/participants?limit=0'), { status: 400, body: { code: 'invalid-query' } })
  t.equal((await ask('/rooms/milk/participants', { headers: {} })).status, 401)
})

await t.test('shows administrators, and nobody else, sessions, nodes and who is connected', async (t) => {
  for (const path of ['/sessions', '/nodes', '/notifications/status']) {
    t.equal((await ask(path, { headers: {} })).status, 401, path)
    t.match(await ask(path, { headers: user }), { status: 403, body: { code: 'forbidden' } }, path)
    t.equal((await ask(path, { headers: await bearer('s', 'service') })).status, 403, path)
  }
  const stream = `${relay.address}/api/v1/notifications/stream`
  const sse = await SseReader.open(t, stream, await bearer('zoe', 'user'))
  await sse.next()
  const zoe = await connect(t, 'guest')
  const rows = await items('/sessions?limit=200')
  t.ok(rows.every((row) => fits('SessionInfo', row)))
  t.match(
    rows.find((row) => row['user'] === 'zoe'),
    { transport: 'sse', node: 'alone', roles: ['user'] },
  )
  t.match(await items('/sessions?user=guest&node=alone'), [{ transport: 'stomp', version: '1.2' }])
  t.same(await items('/sessions?node=elsewhere'), [])
  const seen: unknown[] = []
  for (let cursor = ''; ;) {
    const { body } = await ask(`/sessions?limit=1${cursor}`)
    seen.push(...(body['items'] as { id: string }[]).map(({ id }) => id))
    if (typeof body['cursor'] !== 'string') break
    cursor = `&cursor=${body['cursor']}`
  }
  t.same(
    seen,
    rows.map((row) => row['id']),
    'page by page the same',
  )
  t.match(await ask('/sessions?limit=201'), { status: 400, body: { code: 'invalid-query' } })
  const [node] = await items('/nodes')
  t.match(node, { id: 'alone', sessions: rows.length, broker: { isUp: true } })
  t.ok(fits('NodeInfo', node))
  const { body } = await ask('/notifications/status')
  t.ok((body['users'] as string[]).includes('zoe'))
  t.equal(body['connectedUsers'], (body['users'] as string[]).length)
  t.same((await ask('/notifications/status?limit=1')).body['users'], (body['users'] as string[]).slice(0, 1))
  await sse.close()
  await zoe.close()
})

await t.test('ends the session that an administrator wants to end, however it came', async (t) => {
  const guest = await connect(t, 'guest')
  const [row] = await items('/sessions?user=guest')
  const path = `/sessions/${String(row?.['id'])}`
  t.equal((await ask(path, { method: 'DELETE', headers: user })).status, 403)
  t.equal((await ask(path, { method: 'DELETE', headers: {} })).status, 401)
  t.equal((await ask(path, { method: 'DELETE' })).status, 204)
  const error = await guest.next('ERROR')
  t.equal(header(error.headers, 'message'), 'session ended: an administrator ended it')
  t.equal((await guest.closed).code, 1008)
  t.match(await ask(path, { method: 'DELETE' }), { status: 404, body: { code: 'not-found' } })

  const zoe = await bearer('zoe', 'user')
  const sse = await SseReader.open(t, `${relay.address}/api/v1/notifications/stream`, zoe)
  const { id: position } = await sse.next()
  const poll = fetch(`${relay.address}/api/v1/notifications/poll?wait=60&after=${position}`, { headers: zoe })
  await until(async () => (await items('/sessions?user=zoe')).length === 2)
  for (const { id } of await items('/sessions?user=zoe')) {
    t.equal((await ask(`/sessions/${String(id)}`, { method: 'DELETE' })).status, 204)
  }
  await sse.ended
  t.match(await (await poll).json(), { events: [], recovered: true })
  t.same(await items('/sessions?user=zoe'), [])
})
