import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })

/** What must be refused wherever it comes; whoever takes it in builds more than it can bear, or is fooled. */
const BOMBS: readonly (readonly [what: string, body: string | Uint8Array<ArrayBuffer>])[] = [
  ['deep arrays', `{"content":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
  ['deep objects', `${'{"content":'.repeat(5000)}1${'}'.repeat(5000)}`],
  ['never closed', '['.repeat(60_000)],
  ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
  ['an overlong slash', Buffer.concat([Buffer.from('{"content":"'), Buffer.of(0xc0, 0xaf), Buffer.from('"}')])],
  ['half of a pair', '{"content":"\\ud800"}'],
  ['a NUL', '{"content":"\\u0000"}'],
  ['a number for a text', '{"content":1e308}'],
  ['a huge number', `{"content":${'9'.repeat(50_000)}}`],
  ['nothing', ''],
  ['only a prototype', '{"__proto__":{"content":"x"}}'],
  ['only a constructor', '{"constructor":{"prototype":{"content":"x"}}}'],
] // prettier-ignore

await t.test('JSON that is a weapon is refused, and the session goes on', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('e', '/user/queue/errors')
  for (const [what, body] of BOMBS) {
    for (const destination of ['/app/messages', '/app/rooms/tea/messages']) {
      alice.send('SEND', ['destination', destination, 'receipt', what], body)
      t.match((await alice.message('e')).payload, { code: 'invalid-payload', receipt: what }, `${what} ${destination}`)
    }
  }
  const wide = `{"content":"still here",${Array.from({ length: 5000 }, (_, i) => `"k${i}":${i}`).join()}}`
  await alice.subscribe('m', '/topic/messages')
  await alice.ask('SEND', ['destination', '/app/messages'], wide)
  const { payload } = await alice.message('m')
  t.same(Object.keys(payload).toSorted(), ['content', 'id', 'sender', 'status', 'timestamp'], 'nothing of it stays')
  t.equal(Reflect.get({}, 'isAdmin'), undefined)
}) // prettier-ignore

await t.test('likewise by HTTP', async (t) => {
  const token = await testToken('root', 'admin')
  const post = (body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${relay.address}/api/v1/admin/broadcasts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body,
    })
  for (const [what, body] of BOMBS) t.equal((await post(body)).status, 400, what)
  t.equal((await post(`{"title":"a","message":"${'x'.repeat(300_000)}"}`)).status, 413, 'too large')
  const polluted = '{"title":"a","message":"b","__proto__":{"isAdmin":true}}'
  t.equal((await post(polluted)).status, 400)
  t.equal(Reflect.get({}, 'isAdmin'), undefined)
  t.equal((await post('{"title":"a","message":"b"}')).status, 202, 'what is plain passes')
  const query = '__proto__[isAdmin]=true&constructor[prototype][isAdmin]=true&limit=1'
  const response = await fetch(`${relay.address}/api/v1/sessions?${query}`, { headers: { authorization: `Bearer ${token}` } })
  t.equal(response.status, 200)
  t.equal(Reflect.get({}, 'isAdmin'), undefined)
}) // prettier-ignore

await t.test('an order that is a weapon becomes a dead letter, and those behind it are taken', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await bob.subscribe('o', '/user/queue/orders')
  await admin.subscribe('d', '/queue/user.dead-letter')
  const order = (items: string): string =>
    `{"orderId":"b1","userId":"bob","status":"PLACED","__proto__":{"userId":"eve"},"items":${items}}`
  await service.ask(
    'SEND',
    ['destination', '/queue/user'],
    order(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
  )
  const dead = await admin.next('MESSAGE')
  t.match(header(dead.headers, 'x-dead-letter-reason'), 'levels deep')
  await service.ask('SEND', ['destination', '/queue/user'], order('[{"__proto__":{"x":1}}]'))
  const { payload } = await bob.message('o')
  t.match(payload, { orderId: 'b1', userId: 'bob' })
})

await t.test('names of 64 KiB are refused before they are anybody’s', async (t) => {
  const long = 'x'.repeat(65_000)
  for (const headers of [
    ['id', long, 'destination', '/topic/messages'],
    ['id', '1', 'destination', `/topic/${long}`],
    ['id', '1', 'destination', '/topic/messages', 'receipt', long],
    ['id', '1', 'destination', '/topic/messages', long, 'x'],
  ]) {
    const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
    alice.send('SUBSCRIBE', headers)
    t.equal(header((await alice.next('ERROR')).headers, 'message'), 'header too long')
    t.equal((await alice.closed).code, 1002)
  }
})

await t.test('headers that are not UTF-8 end the session', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  alice.sendRaw(
    Buffer.concat([Buffer.from('SEND\ndestination:/topic/'), Buffer.of(0xff), Buffer.from('\n\n\0')]),
  )
  t.equal(header((await alice.next('ERROR')).headers, 'message'), 'headers are not valid UTF-8')
})
