import t from 'tap'
import { SignJWT } from 'jose'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const SECRET = 'a secret of at least thirty-two bytes'

async function token(sub: string, roles: readonly string[]): Promise<string> {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('5m')
    .sign(Buffer.from(SECRET))
}

const relay = await useRelay(t, { AUTH_JWT_SECRET: SECRET, LIMIT_SESSIONS_PER_USER: '3' })

await t.test('answers CONNECT with what was negotiated and who it is', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', ['accept-version', '1.0,1.1,1.2', 'login', 'alice', 'passcode', 'alice'])
  const { headers } = await client.next('CONNECTED')
  t.equal(header(headers, 'version'), '1.2')
  t.equal(header(headers, 'user-name'), 'alice')
  t.equal(header(headers, 'heart-beat'), '10000,10000')
  t.match(header(headers, 'server'), /^stomp-relay\/\d/)
  t.match(header(headers, 'session'), /^[\w-]{36}$/)
})

await t.test('speaks the version that the client knows', async (t) => {
  for (const [accepted, spoken] of [
    [[], '1.0'],
    [['accept-version', '1.0'], '1.0'],
    [['accept-version', '1.1,1.0'], '1.1'],
    [['accept-version', '2.0,1.2'], '1.2'],
  ] as const) {
    const client = await StompClient.open(t, relay.url, { version: spoken })
    client.send('STOMP', [...accepted, 'login', 'alice', 'passcode', 'alice'])
    t.equal(header((await client.next('CONNECTED')).headers, 'version'), spoken)
    await client.close()
  }
})

await t.test('refuses a client that speaks no version known here', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', ['accept-version', '3.0', 'login', 'alice', 'passcode', 'alice'])
  t.match(header((await client.next('ERROR')).headers, 'message'), /supported versions are 1.0,1.1,1.2/)
  t.equal((await client.closed).code, 1002)
})

await t.test('refuses a heart-beat that is none', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', [
    'accept-version',
    '1.2',
    'heart-beat',
    'often',
    'login',
    'alice',
    'passcode',
    'alice',
  ])
  t.match(header((await client.next('ERROR')).headers, 'message'), /heart-beat/)
  t.equal((await client.closed).code, 1002)
})

await t.test('says nothing but "authentication failed" where credentials are wrong', async (t) => {
  for (const credentials of [
    ['login', 'alice', 'passcode', 'wrong'],
    ['login', 'nobody', 'passcode', 'alice'],
    ['login', 'alice'],
    ['Authorization', 'Bearer nonsense'],
    ['Authorization', 'Basic YWxpY2U6YWxpY2U='],
    [],
  ]) {
    const client = await StompClient.open(t, relay.url)
    client.send('CONNECT', ['accept-version', '1.2', ...credentials])
    t.equal(header((await client.next('ERROR')).headers, 'message'), 'authentication failed')
    t.equal((await client.closed).code, 1002)
  }
})

await t.test(
  'knows a bearer by the token of its upgrade, its query or its CONNECT, in this order',
  async (t) => {
    const [carol, dave, erin] = await Promise.all([
      token('carol', ['user']),
      token('dave', ['user']),
      token('erin', ['user']),
    ])
    const connect = async (url: string, options: object, headers: string[]): Promise<string | undefined> => {
      const client = await StompClient.open(t, url, options)
      client.send('CONNECT', ['accept-version', '1.2', ...headers])
      return header((await client.next('CONNECTED')).headers, 'user-name')
    }
    const upgrade = { headers: { authorization: `Bearer ${carol}` } }
    const frame = ['Authorization', `Bearer ${erin}`]
    t.equal(await connect(`${relay.url}?access_token=${dave}`, upgrade, frame), 'carol')
    t.equal(await connect(`${relay.url}?access_token=${dave}`, {}, frame), 'dave')
    t.equal(await connect(`${relay.url}?token=${dave}`, {}, frame), 'dave')
    t.equal(await connect(relay.url, {}, frame), 'erin')
  },
)

await t.test('refuses one session more than a user may have, and takes it when one is gone', async (t) => {
  const first = await StompClient.connect(t, relay.url, { login: 'bob' })
  await StompClient.connect(t, relay.url, { login: 'bob' })
  await StompClient.connect(t, relay.url, { login: 'bob' })
  const fourth = await StompClient.open(t, relay.url)
  fourth.send('CONNECT', ['accept-version', '1.2', 'login', 'bob', 'passcode', 'bob'])
  t.match(header((await fourth.next('ERROR')).headers, 'message'), /too many sessions/)
  t.equal((await fourth.closed).code, 1008)
  first.send('DISCONNECT', ['receipt', 'bye'])
  await first.next('RECEIPT')
  await first.closed
  t.ok(await StompClient.connect(t, relay.url, { login: 'bob' }))
})

await t.test('acts on nothing before CONNECT', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.send('SEND', ['destination', '/app/messages'], '{"content":"early"}')
  t.match(header((await client.next('ERROR')).headers, 'message'), /not connected/)
  t.equal((await client.closed).code, 1002)
})

await t.test('lets frames wait for the CONNECT before them', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', ['accept-version', '1.2', 'login', 'orders', 'passcode', 'orders'])
  client.send('SUBSCRIBE', ['id', 's', 'destination', '/topic/early', 'receipt', 'r1'])
  client.send('SEND', ['destination', '/topic/early', 'receipt', 'r2'], 'hello')
  await client.next('CONNECTED')
  await client.next('RECEIPT', ({ headers }) => header(headers, 'receipt-id') === 'r1')
  t.equal(Buffer.from((await client.next('MESSAGE')).body).toString(), 'hello')
})

await t.test('drops frames that waited for a CONNECT which failed', async (t) => {
  const witness = await StompClient.connect(t, relay.url, { login: 'alice' })
  await witness.subscribe('m', '/topic/messages')
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', 'wrong'])
  client.send('SEND', ['destination', '/app/messages'], '{"content":"forged"}')
  client.send('SEND', ['destination', '/app/messages'], '{"content":"forged again"}')
  t.equal((await client.closed).code, 1002)
  await witness.ask('SEND', ['destination', '/app/messages'], '{"content":"genuine"}')
  t.equal((await witness.message('m')).payload['content'], 'genuine')
})

await t.test('refuses a second CONNECT', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  client.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', 'alice'])
  t.match(header((await client.next('ERROR')).headers, 'message'), /already connected/)
  t.equal((await client.closed).code, 1002)
})

await t.test('frees what it held for a client that leaves while its credentials are checked', async (t) => {
  for (let i = 0; i < 5; i++) {
    const client = await StompClient.open(t, relay.url)
    client.send('CONNECT', ['accept-version', '1.2', 'login', 'guest', 'passcode', 'guest'])
    client.webSocket.terminate()
    await client.closed
  }
  t.ok(await StompClient.connect(t, relay.url, { login: 'guest' }))
})
