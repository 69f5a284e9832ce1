import t from 'tap'
import { within } from '../../src/lib/within.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { runProgram, startProcess } from '../support/child-process.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { SseHopper } from './sse-hopper.ts'
import { StompHopper } from './stomp-hopper.ts'

// Two nodes on one PostgreSQL and one RabbitMQ, on both of which is written all the time. One is killed on
// the way. What this cannot show is a network between them that breaks.
t.setTimeout(240_000)

const [databaseUrl, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
}
const [west, firstEast] = await Promise.all([
  useRelay(t, { ...env, NODE_ID: 'west' }),
  startProcess(t, { ...env, NODE_ID: 'east' }),
])
const store = await openStore({ url: databaseUrl, nodeId: 'onlooker', lock: false })
t.teardown(() => store.close())
const admin = await testToken('root', 'admin')

interface Node {
  readonly name: string
  readonly address: string
  readonly url: string
}

const ROOM = '/topic/rooms.tea'
/** Before and after the one that a kill makes necessary. */
const HOPS = 6
const MOVES = HOPS + 2 + HOPS
const EVENTS = 20
const over = new AbortController()
/** What the nodes said they had stored. */
const receipted = { room: [] as string[], broadcasts: [] as string[], orders: [] as string[] }

/** Writes to all the streams that are read, again and again, until all is over. */
async function write(node: Node): Promise<void> {
  const alice = await StompClient.connect(t, node.url, { login: 'alice' })
  const service = await StompClient.connect(t, node.url, { login: 'orders' })
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }
  const say = async (content: string): Promise<void> => {
    await alice.ask('SEND', ['destination', '/app/rooms/tea/messages'], JSON.stringify({ content }))
    receipted.room.push(content)
  }
  const announce = async (title: string): Promise<void> => {
    const body = JSON.stringify({ title, message: 'm' })
    const answer = await fetch(`${node.address}/api/v1/admin/broadcasts`, { method: 'POST', headers, body })
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
    receipted.broadcasts.push(title)
  }
  const order = async (orderId: string): Promise<void> => {
    const body = JSON.stringify({ orderId, userId: 'bob', status: 'PLACED' })
    await service.ask('SEND', ['destination', '/queue/user'], body)
    receipted.orders.push(orderId)
  }
  for (let i = 1; !over.signal.aborted; i += 1) {
    const name = `${node.name}-${i}`
    await Promise.all([say(name), announce(name), order(name)])
  }
}

/** Writes until the node is dead, which is no fault. */
async function writeUntilKilled(node: Node & { readonly exited: Promise<unknown> }): Promise<void> {
  await write(node).catch(() => node.exited)
}

const stomp = new StompHopper(t, { login: 'bob', destination: ROOM })
const sse = new SseHopper(t, await testToken('bob', 'user'))

async function hop({ url, address }: { url: string; address: string }): Promise<void> {
  await Promise.all([
    stomp.hop(url).then(() => stomp.read(EVENTS)),
    sse.hop(address).then(() => sse.read(EVENTS)),
  ])
}

// Both begin before there is anything, so that what they have in the end is all that there is.
await Promise.all([stomp.hop(west.url), sse.hop(west.address)])
const impostor = runProgram(t, ['src/main.ts'], { env: { ...env, PORT: '0', NODE_ID: 'west' } })
const wests = { ...west, name: 'west' }
const writing = [write(wests), writeUntilKilled({ ...firstEast, name: 'east' })]
for (let i = 0; i < HOPS; i += 1) await hop(i % 2 === 0 ? firstEast : west)
await hop(firstEast)

await firstEast.kill()
const killedAtMs = performance.now()
const isSuccessorThere = startProcess(t, { ...env, NODE_ID: 'east' })
await hop(west)
const east = await isSuccessorThere
const backAfterMs = performance.now() - killedAtMs
writing.push(write({ ...east, name: 'east-again' }))
for (let i = 0; i < HOPS; i += 1) await hop(i % 2 === 0 ? east : west)
over.abort()
await within(Promise.all(writing), 60_000, () => new Error('the writers do not end'))

async function logOf(stream: string): Promise<{ offset: number; body: string }[]> {
  const events: { offset: number; body: string }[] = []
  for (;;) {
    const page = await store.log.read(stream, events.at(-1)?.offset ?? 0, 500)
    if (page.length === 0) return events
    events.push(...page.map(({ offset, body }) => ({ offset, body })))
  }
}

function field(name: string, bodies: readonly { body: string }[]): string[] {
  return bodies.map(({ body }) => (JSON.parse(body) as Record<string, string>)[name] ?? '')
}

const lacking = (wanted: readonly string[], found: readonly string[]): string[] => {
  const known = new Set(found)
  return wanted.filter((each) => !known.has(each))
}

await t.test(
  'a STOMP subscriber that moves from node to node gets each event once and in order',
  async (t) => {
    const log = await logOf(ROOM)
    await stomp.readUpTo(log.at(-1)!.offset)
    t.same(
      stomp.recovered,
      Array.from({ length: MOVES }, () => 'true'),
    )
    t.same(
      stomp.received.map(({ offset }) => offset),
      log.map((_, i) => i + 1),
      'every offset once',
    )
    t.same(stomp.received, log, 'and what is stored there')
    t.same(lacking(receipted.room, field('content', log)), [], 'all that was receipted is stored')
    t.comment(`${log.length} events, ${stomp.recovered.length} moves`)
  },
)

await t.test('a reader of server-sent events that moves likewise misses nothing in any stream', async (t) => {
  const logs = {
    broadcast: await logOf('/topic/broadcasts'),
    order: await logOf('/user/bob/queue/orders'),
    notification: await logOf('/user/bob/queue/notifications'),
  }
  const total = Object.values(logs).reduce((sum, { length }) => sum + length, 0)
  await within(
    sse.read(Math.max(0, total - sse.received.length)),
    60_000,
    () => new Error('too few events came'),
  )
  t.same(
    sse.recovered,
    Array.from({ length: MOVES }, () => true),
  )
  for (const [name, log] of Object.entries(logs)) {
    const received = sse.received.filter(({ event }) => event === name).map(({ data }) => data)
    t.same(
      received,
      log.map(({ body }) => body),
      `each ${name} once and in order`,
    )
    t.comment(`${log.length} of ${name}`)
  }
  t.equal(sse.received.length, total, 'and nothing else')
  t.same(lacking(receipted.broadcasts, field('title', logs.broadcast)), [])
  const known = new Set(field('orderId', logs.order))
  t.same(
    receipted.orders.filter((each) => !known.has(each)),
    [],
    'orders are taken in, whichever node did',
  )
})

await t.test('the name of a node is refused to another one while it lives', async (t) => {
  const { code, stderr, stdout } = await impostor
  t.equal(code, 1)
  t.match(`${stdout}${stderr}`, 'another living node has the name west: choose another NODE_ID')
})

await t.test('the name of a node that was killed can be taken at once', async (t) => {
  t.comment(`it served ${(backAfterMs / 1000).toFixed(1)} s after kill -9, its start included`)
  t.equal((await fetch(`${east.address}/readyz`)).status, 200)
  t.same(await store.nodes.living(), ['east', 'west'])
})
