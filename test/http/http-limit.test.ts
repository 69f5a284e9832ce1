import t from 'tap'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { useRelay } from '../support/relay.ts'
import { metric } from '../support/until.ts'

const PROXIED = { AUTH_JWT_SECRET: TEST_SECRET, LIMIT_HTTP_PER_MINUTE: '3', TRUST_PROXY: '127.0.0.1' }

async function ask(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers })
  await response.text()
  return response.status
}

await t.test('bounds the requests of an address, and says when to come back', async (t) => {
  const { address } = await useRelay(t, { LIMIT_HTTP_PER_MINUTE: '3' })
  // What is not there, and what is refused, counts as well.
  t.same(
    [await ask(`${address}/`), await ask(`${address}/nothing`), await ask(`${address}/api/v1/sessions`)],
    [200, 404, 401],
  )
  for (const path of ['/', '/nothing', '/api/v1/sessions']) {
    const response = await fetch(`${address}${path}`)
    t.equal(response.status, 429, path)
    t.match(response.headers.get('content-type'), 'application/problem+json')
    t.match(await response.json(), { status: 429, code: 'too-many-requests', title: 'Too Many Requests' })
    const seconds = Number(response.headers.get('retry-after'))
    t.ok(seconds >= 1 && seconds <= 60, String(seconds))
  }
  t.equal(await metric(address, 'stomp_relay_requests_refused_total{reason="rate"}'), 3)
})

await t.test('answers who operates the node, and lets WebSockets be tried, however often', async (t) => {
  const { address } = await useRelay(t, { LIMIT_HTTP_PER_MINUTE: '1' })
  t.equal(await ask(`${address}/`), 200)
  t.equal(await ask(`${address}/`), 429)
  for (const [path, status] of [
    ['/healthz', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    ['/ws', 426],
  ] as const) {
    t.same([await ask(`${address}${path}`), await ask(`${address}${path}`)], [status, status], path)
  }
})

await t.test(
  'counts a user by name wherever they come from, and nobody by a token of no worth',
  async (t) => {
    const { address } = await useRelay(t, PROXIED)
    const url = `${address}/api/v1/nodes`
    const alice = { authorization: `Bearer ${await testToken('alice', 'admin')}` }
    for (const from of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      t.equal(await ask(url, { ...alice, 'x-forwarded-for': from }), 200, from)
    }
    t.equal(await ask(url, { ...alice, 'x-forwarded-for': '192.0.2.4' }), 429)
    const token = alice.authorization.slice('Bearer '.length)
    t.equal(await ask(`${url}?access_token=${token}`, { 'x-forwarded-for': '192.0.2.4' }), 429)
    const bob = { authorization: `Bearer ${await testToken('bob', 'admin')}` }
    t.equal(await ask(url, { ...bob, 'x-forwarded-for': '192.0.2.1' }), 200)
    const statuses = []
    for (const made of ['a', 'b', 'c', 'd']) {
      statuses.push(await ask(url, { authorization: `Bearer ${made}`, 'x-forwarded-for': '192.0.2.9' }))
    }
    t.same(statuses, [401, 401, 401, 429])
  },
)

await t.test('believes X-Forwarded-For of proxies that it trusts', async (t) => {
  const { address } = await useRelay(t, PROXIED)
  for (const from of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5']) {
    t.equal(await ask(address, { 'x-forwarded-for': from }), 200, from)
  }
  // Whatever the client wrote stands before what the proxy added.
  for (const made of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) {
    t.equal(await ask(address, { 'x-forwarded-for': `${made}, 192.0.2.7` }), 200)
  }
  t.equal(await ask(address, { 'x-forwarded-for': '198.51.100.4, 192.0.2.7' }), 429)
  for (const host of ['1', '2', 'ffff:ffff']) {
    t.equal(await ask(address, { 'x-forwarded-for': `2001:db8::${host}` }), 200)
  }
  t.equal(await ask(address, { 'x-forwarded-for': '2001:db8::9' }), 429, 'a /64 network is one caller')
  t.equal(await ask(address, { 'x-forwarded-for': '2001:db8:0:1::9' }), 200)
})

await t.test('takes X-Forwarded-For of strangers for nothing', async (t) => {
  for (const trusted of [{}, { TRUST_PROXY: '192.0.2.1,10.0.0.0/8' }]) {
    const { address } = await useRelay(t, { LIMIT_HTTP_PER_MINUTE: '3', ...trusted })
    const statuses = []
    for (const from of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) {
      statuses.push(await ask(address, { 'x-forwarded-for': from }))
    }
    t.same(statuses, [200, 200, 200, 429])
  }
})
