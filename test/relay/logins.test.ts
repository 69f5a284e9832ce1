import t, { type Test } from 'tap'
import { startProcess } from '../support/child-process.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET } from '../support/token.ts'
import { until } from '../support/until.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'

// Two nodes, one of them a process of its own, on one PostgreSQL and one RabbitMQ: whoever logs out at one is
// gone from the other. What this cannot show is a network between them that breaks.
t.setTimeout(240_000)

const [databaseUrl, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
}
const [west, east] = await Promise.all([
  useRelay(t, { ...env, NODE_ID: 'west' }),
  startProcess(t, { ...env, NODE_ID: 'east' }),
])

interface Node {
  readonly address: string
  readonly url: string
}

interface Granted {
  readonly accessToken: string
  readonly refreshToken: string
}

const bearer = ({ accessToken }: Granted): Record<string, string> => ({
  authorization: `Bearer ${accessToken}`,
})

async function post(node: Node, path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${node.address}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}

async function granted(node: Node, path: string, body: unknown): Promise<Granted> {
  const { status, text } = await post(node, path, body)
  if (status >= 300) throw new Error(`${status}: ${text}`)
  return JSON.parse(text) as Granted
}

const login = (node: Node, name: string): Promise<Granted> =>
  granted(node, 'login', { username: name, password: name })

async function connect(t: Test, node: Node, grant: Granted): Promise<StompClient> {
  const client = await StompClient.open(t, node.url, { headers: bearer(grant) })
  client.send('CONNECT', ['accept-version', '1.2'])
  await client.next('CONNECTED')
  return client
}

async function isRefused(t: Test, node: Node, grant: Granted): Promise<void> {
  const stranger = await StompClient.open(t, node.url, { headers: bearer(grant) })
  stranger.send('CONNECT', ['accept-version', '1.2'])
  t.equal((await stranger.closed).code, 1002)
  const response = await fetch(`${node.address}/api/v1/notifications/poll`, { headers: bearer(grant) })
  t.equal(response.status, 401)
}

await t.test('closes the sessions of a login on every node, however they came', async (t) => {
  const grant = await login(west, 'alice')
  const other = await login(east, 'alice')
  const clients = [await connect(t, west, grant), await connect(t, east, grant)]
  const stream = await SseReader.open(t, `${east.address}/api/v1/notifications/stream`, bearer(grant))
  const staying = await connect(t, east, other)
  t.equal((await post(west, 'logout', {}, bearer(grant))).status, 204)
  for (const client of clients) {
    t.strictSame(await client.closed, { code: 1008, reason: 'session ended: the user logged out' })
  }
  await stream.ended
  for (const node of [west, east]) await isRefused(t, node, grant)
  await staying.subscribe('m', '/topic/messages')
  t.pass('another login of the same user lasts')
})

await t.test('closes all of a user where it logs out everywhere', async (t) => {
  const grants = [await login(west, 'bob'), await login(east, 'bob')]
  const clients = [await connect(t, east, grants[0]!), await connect(t, west, grants[1]!)]
  for (const node of [west, east]) clients.push(await StompClient.connect(t, node.url, { login: 'bob' }))
  t.equal((await post(east, 'logout', { everywhere: true }, bearer(grants[0]!))).status, 204)
  for (const client of clients) t.equal((await client.closed).code, 1008)
  for (const grant of grants) await isRefused(t, west, grant)
})

await t.test('closes them where a refresh token comes a second time, at another node', async (t) => {
  const first = await login(west, 'bob')
  const second = await granted(east, 'refresh', { refreshToken: first.refreshToken })
  const clients = [await connect(t, west, second), await connect(t, east, second)]
  t.equal((await post(west, 'refresh', { refreshToken: first.refreshToken })).status, 401)
  for (const client of clients) t.equal((await client.closed).code, 1008)
  for (const node of [west, east]) await isRefused(t, node, second)
  t.equal((await post(east, 'refresh', { refreshToken: second.refreshToken })).status, 401)
})

await t.test('closes what a node was not told of, by what the store says', async (t) => {
  const grant = await login(west, 'alice')
  const clients = [await connect(t, west, grant), await connect(t, east, grant)]
  const store = await openStore({ url: databaseUrl, nodeId: 'onlooker', lock: false })
  t.teardown(() => store.close())
  await store.logins.remove((await store.logins.ofUser('alice')).map(({ id }) => id))
  for (const node of [west, east]) await isRefused(t, node, grant)
  for (const client of clients) t.equal((await client.closed).code, 1008)
})

await t.test('reads at one node what was written down at the other', async (t) => {
  await post(east, 'login', { username: 'bob', password: 'wrong' })
  const admin = await login(west, 'admin')
  const ask = async (): Promise<{ user?: string; node: string }[]> => {
    const answer = await fetch(`${west.address}/api/v1/admin/audit?kind=login-failed`, {
      headers: bearer(admin),
    })
    return ((await answer.json()) as { items: { user?: string; node: string }[] }).items
  }
  await until(async () => (await ask()).length > 0)
  t.match(await ask(), [{ user: 'bob', node: 'east', kind: 'login-failed', address: '127.0.0.1' }])
})
