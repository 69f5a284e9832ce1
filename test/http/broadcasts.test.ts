import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
const admin = await testToken('root', 'admin')

const PATHS = ['/api/v1/admin/broadcasts', '/api/v1/notifications/broadcast']

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function post(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${admin}` },
): Promise<Answer> {
  const response = await fetch(relay.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

await t.test('announces to every subscriber, on both paths', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  for (const client of [alice, bob]) await client.subscribe('b', '/topic/broadcasts')
  for (const [i, path] of PATHS.entries()) {
    const { status, body } = await post(path, '{"title":"Maintenance","message":"Back at ten","extra":1}')
    t.equal(status, 202)
    t.same(Object.keys(body).toSorted(), ['eventId', 'id'])
    for (const client of [alice, bob]) {
      const { frame, payload } = await client.message('b')
      t.same(payload, {
        id: body['id'],
        title: 'Maintenance',
        message: 'Back at ten',
        type: 'INFO',
        createdAt: payload['createdAt'],
      })
      t.match(payload['createdAt'], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      t.equal(header(frame.headers, 'event-id'), body['eventId'])
      t.match(body['eventId'], new RegExp(`:${i + 1}$`), 'the next of its stream')
    }
  }
})

await t.test('keeps the type that it is given', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('b', '/topic/broadcasts')
  await post(PATHS[0]!, '{"title":"a","message":"b","type":"WARNING"}')
  t.equal((await alice.message('b')).payload['type'], 'WARNING')
})

await t.test('refuses by problem details what it cannot take', async (t) => {
  const good = '{"title":"a","message":"b"}'
  const as = async (name: string, role: 'user' | 'service'): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await testToken(name, role)}`,
  })
  const json = { authorization: `Bearer ${admin}` }
  for (const [why, body, headers, expected] of [
    ['no JSON', '{"title":', json, { status: 400, title: 'Bad Request', code: 'invalid-request' }],
    ['an empty body', '', json, { status: 400, code: 'invalid-request' }],
    ['a field too few', '{"title":"a"}', json, { status: 400, code: 'invalid-payload', detail: /message/ }],
    ['an empty title', '{"title":"","message":"b"}', json, { status: 400, detail: /\/title/ }],
    ['a wrong type', '{"title":1,"message":"b"}', json, { status: 400, detail: /\/title/ }],
    ['no object', '[]', json, { status: 400, code: 'invalid-payload' }],
    ['null', 'null', json, { status: 400, code: 'invalid-payload' }],
    ['no token', good, {}, { status: 401, title: 'Unauthorized', code: 'unauthenticated' }],
    ['another scheme', good, { authorization: 'Basic YTpi' }, { status: 401 }],
    ['a wrong token', good, { authorization: `Bearer ${admin}x` }, { status: 401 }],
    ['a user', good, await as('alice', 'user'), { status: 403, title: 'Forbidden', code: 'forbidden' }],
    ['a service', good, await as('orders', 'service'), { status: 403, detail: /admin/ }],
    ['a giant', `{"title":"${'x'.repeat(262_144)}"}`, json, { status: 413, title: 'Payload Too Large' }],
    ['a form', 'a=b', { ...json, 'content-type': 'application/x-www-form-urlencoded' }, { status: 415 }],
  ] as const) {
    for (const path of PATHS) {
      const answer = await post(path, body, headers)
      t.match(answer.body, { type: 'about:blank', detail: /./, ...expected }, why)
      t.equal(answer.status, expected.status, why)
      t.match(answer.headers.get('content-type'), /^application\/problem\+json/, why)
      const challenge = answer.headers.get('www-authenticate')
      t.equal(challenge, expected.status === 401 ? 'Bearer' : null, why)
      t.notMatch(JSON.stringify(answer.body), /\n|node_modules|at \w+ \(/, 'no stack')
    }
  }
})

await t.test('announces nothing of what it refuses', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('b', '/topic/broadcasts')
  await post(PATHS[0]!, '{"title":"refused"}')
  await post(PATHS[0]!, '{"title":"refused","message":"b"}', {})
  await post(PATHS[0]!, '{"title":"taken","message":"b"}')
  t.equal((await alice.message('b')).payload['title'], 'taken')
})
