import t, { type Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { startProcess, type RelayProcess } from '../support/child-process.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { until } from '../support/until.ts'

// Real nodes on one PostgreSQL and one RabbitMQ: what each knows of the others' sessions, and what becomes of
// that where one is killed, stopped or frozen. Times are printed and not judged: the machine may be busy. What
// this cannot show is a network between nodes that breaks.
t.setTimeout(400_000)

const [databaseUrl, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
}
const admin = { authorization: `Bearer ${await testToken('root', 'admin')}` }

interface Place {
  readonly address: string
  readonly url: string
}

const west: Place = await useRelay(t, { ...env, NODE_ID: 'west' })
const startNode = (name: string): Promise<RelayProcess> => startProcess(t, { ...env, NODE_ID: name })
const [east, south, north] = await Promise.all([startNode('east'), startNode('south'), startNode('north')])

async function connect(test: Test, place: Place, user: string, room?: string): Promise<StompClient> {
  const headers = { authorization: `Bearer ${await testToken(user, 'user')}` }
  const client = await StompClient.open(test, place.url, { headers })
  client.send('CONNECT', ['accept-version', '1.2'])
  await client.next('CONNECTED')
  if (room !== undefined) await client.subscribe('room', `/topic/rooms.${room}`)
  return client
}

async function ask(place: Place, path: string, method = 'GET') {
  const response = await fetch(`${place.address}/api/v1${path}`, { headers: admin, method })
  const text = await response.text()
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, body, items: body['items'] as Record<string, unknown>[] }
}

const sessionsOf = async (place: Place, user: string): Promise<Record<string, unknown>[]> =>
  (await ask(place, `/sessions?user=${user}`)).items

const participants = async (place: Place, room: string): Promise<unknown[]> =>
  (await ask(place, `/rooms/${room}/participants`)).items.map(({ user }) => user)

/** What is told of a room from now on. */
class Watcher {
  readonly #client: StompClient
  readonly #room: string

  private constructor(client: StompClient, room: string) {
    this.#client = client
    this.#room = room
  }

  static async begin(test: Test, place: Place, room: string): Promise<Watcher> {
    const client = await connect(test, place, 'watcher')
    await client.subscribe('presence', `/topic/rooms.${room}.presence`)
    return new Watcher(client, room)
  }

  /** The next events, sorted, `ann JOINED`. */
  async next(count: number): Promise<string[]> {
    const seen: string[] = []
    while (seen.length < count) {
      const { payload } = await this.#client.message('presence')
      seen.push(`${String(payload['user'])} ${String(payload['type'])}`)
    }
    return seen.toSorted()
  }

  /** All that was told, sorted, before somebody came and went who comes last. */
  async rest(test: Test, place: Place): Promise<string[]> {
    const last = await connect(test, place, 'the-last', this.#room)
    const seen: string[] = []
    for (;;) {
      const [event = ''] = await this.next(1)
      if (event === 'the-last LEFT') return seen.toSorted()
      if (event === 'the-last JOINED') await last.close()
      else seen.push(event)
    }
  }
}

/** What a client got at its queues, until there is so much of each. */
async function received(client: StompClient, count: number) {
  const sent: Record<string, unknown>[] = []
  const notifications: string[] = []
  const orders: string[] = []
  while (Math.min(sent.length, notifications.length, orders.length) < count) {
    const { headers, body } = await client.next('MESSAGE')
    const payload = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>
    const eventId = header(headers, 'event-id')
    if (header(headers, 'subscription') === 'o') orders.push(String(payload['orderId']))
    else if (eventId !== undefined) notifications.push(eventId)
    else if (payload['last'] === undefined) sent.push(payload)
  }
  return { sent, notifications, orders }
}

const isUp = (broker: unknown): boolean => (broker as { isUp: boolean }).isUp

const seconds = (sinceMs: number): string => ((performance.now() - sinceMs) / 1000).toFixed(1)

await t.test('every node lists the sessions of all, and the nodes', async (t) => {
  const ann = [await connect(t, west, 'ann'), await connect(t, east, 'ann')]
  const sse = await SseReader.open(t, `${south.address}/api/v1/notifications/stream`, {
    authorization: `Bearer ${await testToken('ann', 'user')}`,
  })
  await sse.next()
  for (const place of [west, east, south]) {
    await until(async () => (await sessionsOf(place, 'ann')).length === 3)
    const rows = await sessionsOf(place, 'ann')
    t.same(rows.map(({ node, transport }) => `${String(node)} ${String(transport)}`).toSorted(), [
      'east stomp',
      'south sse',
      'west stomp',
    ])
    // The broker is told of with the next heart-beat.
    await until(async () => (await ask(place, '/nodes')).items.every(({ broker }) => isUp(broker)))
    t.match((await ask(place, '/nodes')).items, [
      { id: 'east', sessions: 1, broker: { isUp: true } },
      { id: 'north', sessions: 0, broker: { isUp: true } },
      { id: 'south', sessions: 1, broker: { isUp: true } },
      { id: 'west', sessions: 1, broker: { isUp: true } },
    ])
    t.same((await ask(place, '/notifications/status')).body, { connectedUsers: 1, users: ['ann'] })
  }
  t.equal((await ask(west, '/sessions?node=east')).items.length, 1)
  await Promise.all([...ann.map((client) => client.close()), sse.close()])
  await until(async () => (await sessionsOf(west, 'ann')).length === 0)
})

await t.test('a session is ended from any node, however it came', async (t) => {
  const client = await connect(t, east, 'bob')
  const sse = await SseReader.open(t, `${east.address}/api/v1/notifications/stream`, {
    authorization: `Bearer ${await testToken('bob', 'user')}`,
  })
  await sse.next()
  const bystander = await connect(t, east, 'ann')
  await until(async () => (await sessionsOf(west, 'bob')).length === 2)
  for (const { id } of await sessionsOf(west, 'bob')) {
    t.equal((await ask(west, `/sessions/${String(id)}`, 'DELETE')).status, 204)
  }
  const error = await client.next('ERROR')
  t.equal(header(error.headers, 'message'), 'session ended: an administrator ended it')
  t.equal((await client.closed).code, 1008)
  await sse.ended
  t.equal((await ask(west, '/sessions/never', 'DELETE')).status, 404)
  await until(async () => (await sessionsOf(west, 'bob')).length === 0)
  await bystander.subscribe('x', '/app/presence')
})

await t.test('who is in a room is the same at every node, and told once', async (t) => {
  const watchers = [await Watcher.begin(t, west, 'tea'), await Watcher.begin(t, south, 'tea')]
  const bobEast = await connect(t, east, 'bob', 'tea')
  for (const watcher of watchers) t.same(await watcher.next(1), ['bob JOINED'])
  await connect(t, west, 'bob', 'tea')
  await connect(t, south, 'cy', 'tea')
  for (const watcher of watchers) t.same(await watcher.next(1), ['cy JOINED'])
  await bobEast.close()
  for (const place of [west, east, south]) {
    await until(async () => (await participants(place, 'tea')).length === 2)
    t.same(await participants(place, 'tea'), ['bob', 'cy'])
  }
  const rests = await Promise.all(watchers.map((watcher) => watcher.rest(t, east)))
  // Each saw the last one of the other too.
  t.same(
    rests.flat().filter((event) => !event.startsWith('the-last')),
    [],
  )
})

await t.test(
  'a message to a user reaches each of their sessions once, whichever nodes they are at',
  async (t) => {
    const bob = [
      await connect(t, west, 'bob'),
      await connect(t, west, 'bob'),
      await connect(t, east, 'bob'),
      await connect(t, south, 'bob'),
    ]
    for (const client of bob) {
      await client.subscribe('n', '/user/queue/notifications')
      await client.subscribe('o', '/user/queue/orders')
    }
    const other = await connect(t, east, 'ann')
    await other.subscribe('n', '/user/queue/notifications')
    const services = await Promise.all(
      [west, east].map((place) => StompClient.connect(t, place.url, { login: 'orders' })),
    )
    const count = 20
    for (const [s, service] of services.entries()) {
      for (let i = 0; i < count; i += 1) {
        const body = JSON.stringify({ from: s, i })
        service.send('SEND', ['destination', '/user/bob/queue/notifications'], body)
      }
      await service.ask('SEND', ['destination', '/user/bob/queue/notifications'], '{"last":true}')
      for (let i = 0; i < count; i += 1) {
        const body = JSON.stringify({ orderId: `of-${s}-${i}`, userId: 'bob', status: 'PLACED' })
        await service.ask('SEND', ['destination', '/queue/user'], body)
      }
    }
    for (const client of bob) {
      const { sent, notifications, orders } = await received(client, 2 * count)
      for (const s of services.keys()) {
        t.same(
          sent.filter(({ from }) => from === s).map(({ i }) => i),
          Array.from({ length: count }, (_, i) => i),
          'what a service sent, in its order',
        )
      }
      t.equal(new Set(orders).size, 2 * count, 'each order once')
      t.equal(new Set(notifications).size, 2 * count, 'and its notification')
      t.same(
        client.inbox.filter(({ body }) => !Buffer.from(body).toString().includes('last')),
        [],
        'and nothing twice',
      )
    }
    t.same(other.inbox, [], 'nobody else gets it')
  },
)

await t.test(
  'the users of a node that was killed are gone, each told once, and so are its traces',
  async (t) => {
    const watcher = await Watcher.begin(t, west, 'milk')
    const names = Array.from({ length: 20 }, (_, i) => `user-${i}`)
    for (const name of names) await connect(t, east, name, 'milk')
    await connect(t, east, 'both', 'milk')
    await connect(t, west, 'both', 'milk')
    await connect(t, east, 'comes-back', 'milk')
    await watcher.next(names.length + 2)
    await east.kill()
    const killedAtMs = performance.now()
    await connect(t, south, 'comes-back', 'milk')
    const backAfterMs = performance.now() - killedAtMs
    const gone: string[] = []
    const ofComeback: string[] = []
    while (gone.length < names.length) {
      const [event = ''] = await watcher.next(1)
      if (event.startsWith('comes-back')) ofComeback.push(event)
      else gone.push(event)
    }
    t.comment(`told ${seconds(killedAtMs)} s after kill -9`)
    t.same(gone.toSorted(), names.map((name) => `${name} LEFT`).toSorted())
    await until(async () => {
      const nodes = (await ask(west, '/nodes')).items
      return !nodes.some(({ id }) => id === 'east')
    })
    t.comment(`the last trace was gone by ${seconds(killedAtMs)} s`)
    t.same((await ask(west, '/sessions?node=east')).items, [])
    t.same(await participants(south, 'milk'), ['both', 'comes-back'])
    const rest = await watcher.rest(t, south)
    ofComeback.push(...rest.filter((event) => event.startsWith('comes-back')))
    t.same(
      rest.filter((event) => !event.startsWith('comes-back')),
      [],
      'nothing was told twice',
    )
    t.comment(`one came back after ${(backAfterMs / 1000).toFixed(1)} s`)
    t.ok(backAfterMs >= 5000 || ofComeback.length === 0, 'who comes back within 5 s was never away')
  },
)

await t.test('who comes back from a node that was stopped was never away', async (t) => {
  const watcher = await Watcher.begin(t, west, 'soup')
  const [ann, cy] = [await connect(t, south, 'ann', 'soup'), await connect(t, south, 'cy', 'soup')]
  await watcher.next(2)
  const stoppedAtMs = performance.now()
  south.child.kill('SIGTERM')
  t.equal((await ann.closed).code, 1001)
  await connect(t, west, 'ann', 'soup')
  const backAfterMs = performance.now() - stoppedAtMs
  await cy.closed
  const seen: string[] = []
  while (!seen.includes('cy LEFT')) seen.push(...(await watcher.next(1)))
  t.comment(`told ${seconds(stoppedAtMs)} s after SIGTERM`)
  t.equal(await south.exited, 0)
  t.same(await participants(west, 'soup'), ['ann'])
  seen.push(...(await watcher.rest(t, west)))
  t.equal(seen.filter((event) => event.startsWith('cy')).length, 1, 'told once')
  t.comment(`the other one came back after ${(backAfterMs / 1000).toFixed(1)} s`)
  t.ok(backAfterMs >= 5000 || seen.length === 1, 'who comes back within 5 s was never away')
})

await t.test('a node that was frozen and taken for dead has its users again when it wakes', async (t) => {
  const watcher = await Watcher.begin(t, west, 'cake')
  const dora = await connect(t, north, 'dora', 'cake')
  t.same(await watcher.next(1), ['dora JOINED'])
  north.child.kill('SIGSTOP')
  t.teardown(() => north.child.kill('SIGCONT'))
  t.same(await watcher.next(1), ['dora LEFT'])
  t.same(
    (await ask(west, '/nodes')).items.map(({ id }) => id),
    ['west'],
  )
  north.child.kill('SIGCONT')
  const awakeAtMs = performance.now()
  t.same(await watcher.next(1), ['dora JOINED'])
  t.comment(`back ${seconds(awakeAtMs)} s after it woke`)
  await until(async () => (await sessionsOf(west, 'dora')).length === 1)
  t.same(
    (await ask(west, '/nodes')).items.map(({ id }) => id),
    ['north', 'west'],
  )
  await dora.subscribe('x', '/app/presence')
})
