import t, { type Test } from 'tap'
import { Value } from 'typebox/value'
import { GRANT } from '../../protocol/payload/login.ts'
import { useRelay } from '../support/relay.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'

// One node; what several do is in test/relay/logins.test.ts.

t.setTimeout(120_000)

const relay = await useRelay(t)

interface Granted {
  readonly accessToken: string
  readonly refreshToken: string
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${relay.address}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, headers: response.headers, body: parsed }
}

async function granted(path: string, body: unknown): Promise<Granted> {
  const answer = await post(path, body)
  if (answer.status >= 300) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body as unknown as Granted
}

const login = (name: string): Promise<Granted> => granted('login', { username: name, password: name })
const bearer = ({ accessToken }: Granted): Record<string, string> => ({
  authorization: `Bearer ${accessToken}`,
})

async function isGood(grant: Granted): Promise<boolean> {
  const response = await fetch(`${relay.address}/api/v1/notifications/poll`, { headers: bearer(grant) })
  await response.text()
  return response.status === 200
}

async function connect(test: Test, grant: Granted): Promise<StompClient> {
  const client = await StompClient.open(test, relay.url, { headers: bearer(grant) })
  client.send('CONNECT', ['accept-version', '1.2'])
  await client.next('CONNECTED')
  return client
}

function isProblem(t: Test, { status, headers, body }: Answer, expected: number, code: string): void {
  t.equal(status, expected, code)
  t.match(headers.get('content-type'), /^application\/problem\+json/)
  t.match(body, { type: 'about:blank', title: String, status: expected, code, detail: String })
}

await t.test('answers a registration and a login with tokens that nobody keeps', async (t) => {
  const credentials = { username: 'carol', password: 's3cret phrase' }
  const registered = await post('register', credentials)
  t.equal(registered.status, 201)
  const loggedIn = await post('login', credentials)
  t.equal(loggedIn.status, 200)
  for (const { body, headers } of [registered, loggedIn]) {
    t.ok(Value.Check(GRANT, body))
    t.strictSame(Object.keys(body), ['accessToken', 'refreshToken', 'expiresIn', 'user'])
    t.equal(body['expiresIn'], 900)
    t.strictSame(body['user'], { name: 'carol', roles: ['user'] })
    t.equal(headers.get('cache-control'), 'no-store')
    t.ok(await isGood(body as unknown as Granted))
  }
  isProblem(t, await post('register', credentials), 409, 'conflict')
  isProblem(t, await post('register', { username: 'alice', password: 'a demo account' }), 409, 'conflict')
})

await t.test('says the same to an unknown user as to a wrong password', async (t) => {
  const wrong = await post('login', { username: 'alice', password: 'wrong' })
  const unknown = await post('login', { username: 'nobody', password: 'wrong' })
  isProblem(t, wrong, 401, 'unauthenticated')
  t.strictSame(unknown.body, wrong.body)
  t.equal(wrong.headers.get('www-authenticate'), 'Bearer')
})

await t.test('exchanges a refresh token once; the second time ends the login and its sessions', async (t) => {
  const first = await login('bob')
  const client = await connect(t, first)
  const stream = await SseReader.open(t, `${relay.address}/api/v1/notifications/stream`, bearer(first))
  const other = await connect(t, await login('bob'))
  const second = await granted('refresh', { refreshToken: first.refreshToken })
  t.not(second.refreshToken, first.refreshToken)
  t.ok(await isGood(second))
  isProblem(t, await post('refresh', { refreshToken: first.refreshToken }), 401, 'unauthenticated')
  const closed = await client.closed
  t.strictSame(closed, { code: 1008, reason: 'session ended: the user logged out' })
  await stream.ended
  t.notOk(await isGood(first))
  t.notOk(await isGood(second))
  isProblem(t, await post('refresh', { refreshToken: second.refreshToken }), 401, 'unauthenticated')
  await other.subscribe('m', '/topic/messages')
  t.pass('another login of the same user lasts')
})

await t.test('logs out by either token, also once the refresh token is used up', async (t) => {
  const [one, two, three] = [await login('alice'), await login('alice'), await login('alice')]
  const newer = await granted('refresh', { refreshToken: two.refreshToken })
  const client = await connect(t, one)
  t.equal((await post('logout', undefined, bearer(one))).status, 204)
  t.equal((await client.closed).code, 1008)
  t.equal((await post('logout', { refreshToken: two.refreshToken })).status, 204)
  t.strictSame([await isGood(one), await isGood(newer), await isGood(three)], [false, false, true])
  // Who has logged out already is told so.
  isProblem(t, await post('logout', { refreshToken: two.refreshToken }), 401, 'unauthenticated')
  isProblem(t, await post('logout', undefined, bearer(one)), 401, 'unauthenticated')
  isProblem(t, await post('logout'), 401, 'unauthenticated')
})

await t.test('logs out everywhere, and nobody else', async (t) => {
  const grants = [await login('alice'), await login('alice')]
  const bob = await login('bob')
  const clients = [await connect(t, grants[0]!), await connect(t, grants[1]!)]
  const byPassword = await StompClient.connect(t, relay.url, { login: 'alice' })
  t.equal((await post('logout', { everywhere: true }, bearer(grants[0]!))).status, 204)
  for (const client of clients) t.equal((await client.closed).code, 1008)
  t.strictSame([await isGood(grants[0]!), await isGood(grants[1]!), await isGood(bob)], [false, false, true])
  t.equal((await byPassword.closed).code, 1008, 'though it is of no login')
})

await t.test('answers a long poll that was waiting when its login ended', async (t) => {
  const grant = await login('bob')
  const path = `${relay.address}/api/v1/notifications/poll`
  const begin = (await (await fetch(path, { headers: bearer(grant) })).json()) as { lastEventId: string }
  const admin = bearer(await login('admin'))
  const waiting = fetch(`${path}?wait=60&after=${begin.lastEventId}`, { headers: bearer(grant) })
  for (let isThere = false; !isThere;) {
    const sessions = await fetch(`${relay.address}/api/v1/sessions?user=bob`, { headers: admin })
    const { items } = (await sessions.json()) as { items: { transport: string }[] }
    isThere = items.some(({ transport }) => transport === 'poll')
  }
  await post('logout', undefined, bearer(grant))
  const answer = await waiting
  t.match(await answer.json(), { events: [] })
  t.equal((await fetch(path, { headers: bearer(grant) })).status, 401)
})

await t.test('refuses what cannot be a login, each with the reason', async (t) => {
  const good = { username: 'dora', password: 's3cret phrase' }
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const bodies: Record<string, unknown> = {
    nothing: '',
    'no JSON': '{',
    null: 'null',
    'a list': [],
    'a text': '"alice"',
    'no password': { username: 'dora' },
    'no name': { password: 's3cret phrase' },
    'an empty name': { ...good, username: '' },
    'a name with a slash': { ...good, username: 'a/b' },
    'a name with a line feed': { ...good, username: 'dora\n' },
    'a name that looks like another': { ...good, username: 'al\u0456ce' },
    'a long name': { ...good, username: 'x'.repeat(65) },
    'a name that is a number': { ...good, username: 7 },
    'a name that is an object': { ...good, username: { $ne: '' } },
    'a password that is a list': { ...good, password: ['s3cret phrase'] },
    'an empty password': { ...good, password: '' },
    'a short password': { ...good, password: 'short' },
    'a long password': { ...good, password: 'x'.repeat(1025) },
    'a password of too many bytes': { ...good, password: '\u00e9'.repeat(600) },
    'nested JSON': `{"username":${deep},"password":"s3cret phrase"}`,
    'a prototype': '{"__proto__":{"username":"dora"},"username":"dora","password":"s3cret phrase"}',
  }
  for (const [what, body] of Object.entries(bodies)) {
    const answer = await post('register', body)
    t.equal(answer.status, 400, what)
    t.match(answer.headers.get('content-type'), /^application\/problem\+json/, what)
    t.notMatch(JSON.stringify(answer.body), /s3cret/, what)
  }
  const large = await post('register', { ...good, more: 'x'.repeat(300_000) })
  t.equal(large.status, 413)
  const form = await post('register', 'username=dora&password=s3cret+phrase', {
    'content-type': 'application/x-www-form-urlencoded',
  })
  t.equal(form.status, 415)
  isProblem(t, await post('login', good), 401, 'unauthenticated')
  isProblem(t, await post('refresh', {}), 400, 'invalid-payload')
  isProblem(t, await post('refresh', { refreshToken: 'x'.repeat(8193) }), 400, 'invalid-payload')
  isProblem(t, await post('refresh', { refreshToken: 'noise' }), 401, 'unauthenticated')
  isProblem(t, await post('logout', { everywhere: 'yes' }), 400, 'invalid-payload')
})

await t.test('takes what a login does not know for nothing', async (t) => {
  const body = { username: 'erin', password: 's3cret phrase', roles: ['admin'], role: 'admin' }
  const answer = await post('register', body)
  t.strictSame(answer.body['user'], { name: 'erin', roles: ['user'] })
})

await t.test('refuses registration where that is off', async (t) => {
  const closed = await useRelay(t, { REGISTRATION: 'off' })
  const response = await fetch(`${closed.address}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'carol', password: 's3cret phrase' }),
  })
  t.equal(response.status, 403)
  t.match(await response.json(), { code: 'forbidden', detail: 'accounts are made by administrators here' })
})

await t.test('lets pages of allowed origins log in, refresh and log out, and no others', async (t) => {
  const origin = 'https://app.example.com'
  const open = await useRelay(t, { ALLOWED_ORIGINS: origin, DEMO_ACCOUNTS: 'on' })
  const ask = async (path: string, init: RequestInit, from = origin): Promise<Response> => {
    const type = init.body === undefined ? {} : { 'content-type': 'application/json' }
    return fetch(`${open.address}/api/v1/auth/${path}`, { ...init, headers: { origin: from, ...type } })
  }
  for (const path of ['register', 'login', 'refresh', 'logout']) {
    const preflight = await ask(path, { method: 'OPTIONS' })
    t.equal(preflight.status, 204, path)
    t.equal(preflight.headers.get('access-control-allow-origin'), origin)
    t.equal(preflight.headers.get('access-control-allow-methods'), 'POST')
    t.match(preflight.headers.get('access-control-allow-headers'), 'content-type')
    t.equal((await ask(path, { method: 'OPTIONS' }, 'https://evil.example')).status, 403, path)
  }
  const body = '{"username":"alice","password":"alice"}'
  const answer = await ask('login', { method: 'POST', body })
  t.equal(answer.headers.get('access-control-allow-origin'), origin)
  const { refreshToken } = (await answer.json()) as Granted
  const refreshed = await ask('refresh', { method: 'POST', body: JSON.stringify({ refreshToken }) })
  t.equal(refreshed.headers.get('access-control-allow-origin'), origin)
  const wrong = await ask('refresh', { method: 'POST', body: '{"refreshToken":"x"}' })
  t.same([wrong.status, wrong.headers.get('access-control-allow-origin')], [401, origin], 'refusals too')
  const evil = await ask('refresh', { method: 'POST', body: '{"refreshToken":"x"}' }, 'https://evil.example')
  t.equal(evil.headers.get('access-control-allow-origin'), null)
})
