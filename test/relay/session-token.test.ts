import t from 'tap'
import { Tokens } from '../../src/auth/tokens.ts'
import { useRelay } from '../support/relay.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

t.setTimeout(120_000)

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
const tokens = new Tokens({ secret: TEST_SECRET })

async function connect(token: string): Promise<StompClient> {
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
  await client.next('CONNECTED')
  await client.subscribe('e', '/user/queue/errors')
  return client
}

const prolong = (client: StompClient, token: unknown): void =>
  client.send('SEND', ['destination', '/app/session/token', 'receipt', 't'], JSON.stringify({ token }))

await t.test('warns, goes on with a fresh token, and ends with that one', async (t) => {
  // It has the 30 s of the warning left at most: that is due at once.
  const client = await connect(await tokens.sign({ name: 'carl', roles: ['user'] }, 29))
  const { payload } = await client.message('e')
  t.match(payload, { code: 'token-expiring', destination: '' })
  prolong(client, await tokens.sign({ name: 'carl', roles: ['user'] }, 3600))
  await client.next('RECEIPT')
  t.strictSame(client.inbox, [], 'no warning for the fresh one')
  prolong(client, await tokens.sign({ name: 'carl', roles: ['user', 'service'] }, 5))
  await client.next('RECEIPT')
  t.match((await client.message('e')).payload, { code: 'token-expiring' })
  t.strictSame(await client.closed, { code: 1008, reason: 'session ended: the token ran out' })
})

await t.test('refuses a token that does not prolong the session, which lives on', async (t) => {
  const client = await connect(await tokens.sign({ name: 'carl', roles: ['user', 'service'] }, 3600))
  const refused: Record<string, unknown> = {
    'of somebody else': await testToken('bob', 'user', 'service'),
    'with a role less': await testToken('carl', 'user'),
    'that is over': await tokens.sign({ name: 'carl', roles: ['user', 'service'] }, -3),
    'that was over before': await tokens.sign({ name: 'carl', roles: ['user', 'service'] }, -60),
    'of a stranger': await new Tokens({ secret: 'x'.repeat(32) }).sign({ name: 'carl', roles: ['user'] }, 60),
    'that is none': 'noise',
  }
  for (const [what, token] of Object.entries(refused)) {
    prolong(client, token)
    const { payload } = await client.message('e')
    t.match(payload, { code: 'invalid-token', destination: '/app/session/token', receipt: 't' }, what)
    t.notMatch(JSON.stringify(payload), new RegExp(String(token).slice(0, 40)), 'which is not repeated')
  }
  for (const none of [7, '', 'x'.repeat(8193)]) {
    prolong(client, none)
    t.match((await client.message('e')).payload, { code: 'invalid-payload' })
  }
  await client.subscribe('m', '/topic/messages')
})

await t.test('makes a session that came by name and password end with the token', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  await client.subscribe('e', '/user/queue/errors')
  prolong(client, await tokens.sign({ name: 'alice', roles: ['user'] }, 5))
  t.equal((await client.closed).code, 1008)
})

await t.test('tells a reader of events that the token ran out', async (t) => {
  const token = await tokens.sign({ name: 'carl', roles: ['user'] }, 5)
  const stream = await SseReader.open(t, `${relay.address}/api/v1/notifications/stream?token=${token}`)
  t.match(await stream.nextJson(), { event: 'connected' })
  t.match(await stream.nextJson(), { event: 'token-expired', data: { code: 'token-expired' } })
  await stream.ended
})
