import t from 'tap'
import { Value } from 'typebox/value'
import { AUDIT_ENTRY, type AuditEntry } from '../../protocol/payload/audit.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET, NODE_ID: 'alone' })
const [admin, user] = await Promise.all([testToken('root', 'admin'), testToken('carl', 'user')])
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

interface Page {
  readonly items: AuditEntry[]
  readonly cursor?: string
}

async function read(query: string): Promise<Page> {
  const answer = await fetch(`${relay.address}/api/v1/admin/audit?${query}`, { headers: bearer(admin) })
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as Page
}

/** The entries of a kind, once there are so many. */
async function entries(kind: string, count: number): Promise<AuditEntry[]> {
  await until(async () => (await read(`kind=${kind}`)).items.length >= count)
  return (await read(`kind=${kind}`)).items
}

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${relay.address}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

await t.test('writes down logins, and those that failed, without a secret', async (t) => {
  const ok = (await (await post('/auth/login', { username: 'alice', password: 'alice' })).json()) as {
    refreshToken: string
    accessToken: string
  }
  await post('/auth/register', { username: 'carol', password: 's3cret phrase' })
  await post('/auth/login', { username: 'alice', password: 'hunter2' })
  await post('/auth/login', { username: 'hunter3', password: 'alice' })
  await post('/auth/refresh', { refreshToken: ok.refreshToken })
  await post('/auth/refresh', { refreshToken: ok.refreshToken })
  await post('/auth/logout', { everywhere: true }, bearer(await testToken('bob', 'user')))
  const bob = (await (await post('/auth/login', { username: 'bob', password: 'bob' })).json()) as {
    accessToken: string
  }
  await post('/auth/logout', { everywhere: true }, bearer(bob.accessToken))
  await StompClient.connect(t, relay.url, { login: 'alice' })
  const stranger = await StompClient.open(t, relay.url)
  stranger.send('CONNECT', ['accept-version', '1.2', 'login', 'bob', 'passcode', 'hunter4'])
  await stranger.closed
  const nobody = await StompClient.open(t, relay.url, { headers: bearer('eyJub25zZW5zZQ') })
  nobody.send('CONNECT', ['accept-version', '1.2'])
  await nobody.closed
  const seen = async (kind: string, count: number): Promise<string[]> =>
    (await entries(kind, count)).map(({ user: name, about }) => [name, about].join(' ').trim())
  t.strictSame((await seen('login', 3)).toSorted(), ['alice', 'alice CONNECT', 'bob'])
  t.strictSame(await seen('registered', 1), ['carol'])
  t.strictSame((await seen('login-failed', 3)).toSorted(), ['', 'alice', 'bob'])
  t.strictSame(await seen('token-reused', 1), ['alice'])
  t.strictSame(await seen('logout', 1), ['bob everywhere'])
  t.strictSame(await seen('connect-refused', 1), [''])
  const all = await read('limit=200')
  for (const entry of all.items) {
    t.ok(Value.Check(AUDIT_ENTRY, entry), entry.kind)
    t.match(entry, { node: 'alone', address: '127.0.0.1' })
  }
  t.notMatch(JSON.stringify(all), /hunter|phrase|eyJ/)
})

await t.test('writes down what the policy refused, and whom', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  await client.subscribe('e', '/user/queue/errors')
  client.send('SEND', ['destination', '/topic/x\n\u001b[2J'], '{}')
  client.send('SUBSCRIBE', ['id', 'o', 'destination', '/topic/orders'])
  client.send('SUBSCRIBE', ['id', 'p', 'destination', '/topic/orders.77'])
  for (let i = 0; i < 3; i++) t.match((await client.message('e')).payload, { code: 'forbidden' })
  const refused = await entries('refused', 3)
  t.strictSame(refused.map(({ user: name, about }) => `${name} ${about}`).toSorted(), [
    'alice SEND /topic/x??[2J',
    'alice SUBSCRIBE /topic/orders',
    'alice SUBSCRIBE /topic/orders.77',
  ])
})

await t.test('writes down what administrators did, and who tried to be one', async (t) => {
  const announcement = { title: 't', message: 'a private matter' }
  t.equal((await post('/admin/broadcasts', announcement, bearer(admin))).status, 202)
  t.equal((await post('/notifications/broadcast', announcement, bearer(admin))).status, 202)
  t.equal((await post('/admin/broadcasts', {}, bearer(admin))).status, 400, 'which did nothing')
  t.equal((await post('/admin/broadcasts', announcement, bearer(user))).status, 403)
  t.equal((await post('/admin/broadcasts', announcement, bearer('noise'))).status, 401)
  t.equal((await post('/admin/broadcasts', announcement)).status, 401, 'nobody in particular')
  const client = await StompClient.connect(t, relay.url, { login: 'bob' })
  const sessions = `${relay.address}/api/v1/sessions`
  const { items } = (await (await fetch(`${sessions}?user=bob`, { headers: bearer(admin) })).json()) as {
    items: { id: string }[]
  }
  const [session] = items
  const path = `/api/v1/sessions/${session?.id}`
  const answer = await fetch(`${relay.address}${path}?why=spam`, { method: 'DELETE', headers: bearer(admin) })
  t.equal(answer.status, 204)
  t.equal((await client.closed).code, 1008)
  t.strictSame(
    (await entries('admin-action', 3)).map(({ user: name, about }) => [name, about]),
    [
      ['root', `DELETE ${path}`],
      ['root', 'POST /api/v1/notifications/broadcast'],
      ['root', 'POST /api/v1/admin/broadcasts'],
    ],
  )
  t.strictSame(
    (await entries('request-refused', 2)).map(({ user: name, about }) => [name, about]),
    [
      [undefined, 'POST /api/v1/admin/broadcasts'],
      ['carl', 'POST /api/v1/admin/broadcasts'],
    ],
  )
})

await t.test('is read page by page, by administrators alone', async (t) => {
  const all = (await read('limit=200')).items.map(({ id }) => id)
  const first = await read('limit=4')
  const second = await read(`limit=200&cursor=${first.cursor}`)
  t.strictSame(
    [...first.items, ...second.items].map(({ id }) => id),
    all,
  )
  t.equal(second.cursor, undefined)
  const ofBob = await read('user=bob')
  t.ok(ofBob.items.length > 0 && ofBob.items.every(({ user: name }) => name === 'bob'))
  const ask = async (query: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : bearer(token)
    return (await fetch(`${relay.address}/api/v1/admin/audit?${query}`, { headers })).status
  }
  t.equal(await ask('', user), 403)
  t.equal(await ask('', await testToken('s', 'service')), 403)
  t.equal(await ask(''), 401)
  t.equal(await ask('kind=none', admin), 400)
  t.equal(await ask('limit=0', admin), 400)
  t.equal(await ask(`user=${'x'.repeat(65)}`, admin), 400)
})

await t.test('counts a flood of refusals rather than storing it', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  await client.subscribe('e', '/user/queue/errors')
  for (let i = 0; i < 2000; i++) client.send('SUBSCRIBE', ['id', `o${i}`, 'destination', '/topic/orders'])
  for (let i = 0; i < 2000; i++) await client.message('e')
  const metrics = await (await fetch(`${relay.address}/metrics`)).text()
  const [, omitted] = /stomp_relay_audit_events_total\{event="omitted"\} (\d+)/.exec(metrics) ?? []
  t.ok(Number(omitted) > 1000, `${omitted} left out`)
  t.ok((await read('kind=refused&limit=200')).items.length < 200)
})

await t.test('writes down who read the feed of another, and who was locked out', async (t) => {
  const strict = await useRelay(t, {
    AUTH_JWT_SECRET: TEST_SECRET,
    LIMIT_LOGINS_PER_MINUTE: '1',
    NODE_ID: 'strict',
  })
  const url = `${strict.address}/api/v1`
  const stream = await fetch(`${url}/notifications/stream/carl`, { headers: bearer(admin) })
  await stream.body?.cancel()
  const own = await fetch(`${url}/notifications/stream/root`, { headers: bearer(admin) })
  await own.body?.cancel()
  for (const status of [401, 429]) {
    const answer = await fetch(`${url}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username":"nobody","password":"guess"}',
    })
    t.equal(answer.status, status)
  }
  const of = async (kind: string): Promise<AuditEntry[]> => {
    const answer = await fetch(`${url}/admin/audit?kind=${kind}`, { headers: bearer(admin) })
    return ((await answer.json()) as Page).items
  }
  await until(async () => (await of('locked-out')).length > 0 && (await of('feed-read')).length > 0)
  t.match(await of('locked-out'), [{ address: '127.0.0.1', about: 'POST /api/v1/auth/login' }])
  const reads = await of('feed-read')
  t.match(reads, [{ user: 'root', address: '127.0.0.1', about: 'carl' }])
  t.equal(reads.length, 1, 'one’s own is nobody’s business')
})
