import { connect } from 'amqplib'
import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { ApiClient, type ApiAnswer } from '../support/api-client.ts'
import { startProcess, type RelayProcess } from '../support/child-process.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { SseReader } from '../support/sse-reader.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { Device, type SeenEvent } from './device.ts'
import { allItems, logOf, messageView, notificationView, orderView, parsed, roomView } from './views.ts'

// A working day of 50 people on two nodes, one of which is killed and replaced. What this cannot show is a machine
// that dies together with the database or with RabbitMQ.
t.setTimeout(600_000)

const USERS = Array.from({ length: 50 }, (_, i) => `user-${i}`)
const ROOMS = ['north', 'south', 'east-wing', 'west-wing'] as const
const BOARD = 'board'
const BOARD_MEMBERS = USERS.slice(0, 10)
const ORDERS = 5000
/** Of the orders, each so-manyth is sent twice, and after each so-manyth something that is no order. */
const [EVERY_DUPLICATE, EVERY_POISON] = [10, 100]

/** What the second bulk update names. */
const HURRIED = Array.from({ length: 1000 }, (_, i) => `order-${i * 5}`)

const [databaseUrl, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
  LIMIT_SESSIONS_PER_USER: '1000',
}
const start = (name: string): Promise<RelayProcess> => startProcess(t, { ...env, NODE_ID: name })
const [west, firstEast] = await Promise.all([start('west'), start('east')])
const store = await openStore({ url: databaseUrl, nodeId: 'onlooker', lock: false })
t.teardown(() => store.close())
let nodes: readonly RelayProcess[] = [west, firstEast]

const roomOf = (i: number): string => ROOMS[i % ROOMS.length]!
const partner = (i: number): string => USERS[(i + 1) % USERS.length]!
const ownStreams = ['messages', 'receipts', 'notifications', 'orders', 'operations'] as const
const admin = await ApiClient.as(west, 'root', 'admin')
must(await admin.post('/rooms', { name: BOARD, visibility: 'private' }), 201)
for (const name of BOARD_MEMBERS) must(await admin.put(`/rooms/${BOARD}/members/${name}`), 200)

function must({ status, text }: ApiAnswer, expected: number): void {
  if (status !== expected) throw new Error(`${status}: ${text}`)
}

/** Somebody with a device at each node, who prefers the one or the other. */
interface Person {
  readonly name: string
  readonly devices: readonly [Device, Device]
  /** By where it is subscribed to, the stream in the store. */
  readonly streams: ReadonlyMap<string, string>
}

async function arrive(name: string, shared: readonly string[], ...roles: 'admin'[]): Promise<Person> {
  const token = await testToken(name, 'user', ...roles)
  const own = ownStreams.map((queue) => [`/user/queue/${queue}`, `/user/${name}/queue/${queue}`] as const)
  const streams = new Map([...own, ...shared.map((each) => [each, each] as const)])
  const device = (isWest: boolean): Device =>
    new Device(t, {
      token,
      destinations: [...streams.keys()],
      nodes: () => (isWest ? nodes : nodes.toReversed()),
    })
  const devices = [device(true), device(false)] as const
  await Promise.all(devices.map((each) => each.start()))
  return { name, devices, streams }
}

const people: Person[] = []
for (const [i, name] of USERS.entries()) {
  const rooms = [roomOf(i), ...(BOARD_MEMBERS.includes(name) ? [BOARD] : [])]
  const shared = [
    '/topic/broadcasts',
    ...rooms.flatMap((room) => [`/topic/rooms.${room}`, `/topic/rooms.${room}.read`]),
  ]
  people.push(await arrive(name, shared))
}
const boss = await arrive('root', ['/topic/broadcasts', '/topic/orders', `/topic/rooms.${BOARD}`], 'admin')
const everybody = [...people, boss]
const listeners = await Promise.all(
  USERS.slice(0, 5).map(async (name) =>
    SseReader.open(t, `${west.address}/api/v1/notifications/stream`, {
      authorization: `Bearer ${await testToken(name, 'user')}`,
    }),
  ),
)

/** Chat of one person: rooms, typing, edits, private messages and that they were read. */
async function chat({ name, devices }: Person, i: number): Promise<void> {
  const api = await ApiClient.as(west, name)
  for (let n = 0; n < 8; n += 1) {
    const device = devices[n % 2]!
    const room = n % 4 === 3 && BOARD_MEMBERS.includes(name) ? BOARD : roomOf(i)
    device.mention(`/app/rooms/${room}/typing`, { typing: true })
    await device.send(`/app/rooms/${room}/messages`, { content: `${name} says ${n}` })
    if (n % 2 === 0)
      await device.send(`/app/users/${partner(i)}/messages`, { content: `${name} whispers ${n}` })
  }
  const { body } = await api.get(`/rooms/${roomOf(i)}/messages?limit=200`)
  const own = body.items.filter(({ sender }) => sender === name)
  await api.patch(`/rooms/${roomOf(i)}/messages/${String(own[0]!['id'])}`, { content: `${name} corrects` })
  await api.delete(`/rooms/${roomOf(i)}/messages/${String(own[1]!['id'])}`)
}

async function readPrivately(i: number): Promise<void> {
  const reader = people[(i + 1) % people.length]!
  const api = await ApiClient.as(west, reader.name)
  const { body } = await api.get(`/conversations/${USERS[i]!}/messages`)
  for (const { id, receiver } of body.items) {
    if (receiver === reader.name) await reader.devices[0].send(`/app/messages/${String(id)}/read`, {})
  }
}

const amqp = await connect(amqpUrl)
amqp.on('error', () => undefined)
t.teardown(() => amqp.close())
const orders = await amqp.createConfirmChannel()
const published = { messages: 0, poison: 0 }

function publish(content: string): void {
  published.messages += 1
  orders.sendToQueue('user', Buffer.from(content), { persistent: true })
}

async function publishOrders(from: number, to: number): Promise<void> {
  for (let i = from; i < to; i += 1) {
    const userId = USERS[i % USERS.length]
    const order = JSON.stringify({
      orderId: `order-${i}`,
      userId,
      status: 'PLACED',
      items: [{ sku: i }],
      version: 1,
    })
    publish(order)
    if (i % EVERY_DUPLICATE === 0) publish(order)
    if (i % EVERY_POISON === 0) {
      published.poison += 1
      publish(
        i % (2 * EVERY_POISON) === 0
          ? `no order ${i}`
          : JSON.stringify({ orderId: `order-${i}`, status: 'LOST' }),
      )
    }
  }
  await orders.waitForConfirms()
}

async function bulk(body: object): Promise<string> {
  const answer = await admin.post('/admin/orders/bulk-status', body)
  must(answer, 202)
  return String(answer.body['operationId'])
}

const isAt =
  (id: string, ...states: string[]) =>
  (status: Record<string, unknown>): boolean =>
    status['id'] === id && states.includes(String(status['state'])) && Number(status['done']) > 0

await t.test(
  'the morning: everybody talks, orders come in, and a node dies in the middle of a bulk update',
  async (t) => {
    const talking = Promise.all(people.map((person, i) => chat(person, i)))
    await publishOrders(0, ORDERS / 2)
    await admin.post('/admin/broadcasts', { title: 'Good morning', message: 'The day begins' })
    const isStored = async (): Promise<boolean> => (await store.log.head('/topic/orders')) >= ORDERS / 2
    await until(isStored)
    const first = await bulk({ where: { status: 'PLACED' }, status: 'PREPARED', note: 'by noon' })
    await boss.devices[0].hears('/user/queue/operations', isAt(first, 'RUNNING', 'SUCCEEDED'))
    nodes = [west]
    await firstEast.kill()
    await admin.post('/admin/broadcasts', { title: 'A node is gone', message: 'Nothing else is' })
    const [secondEast] = await Promise.all([start('east'), publishOrders(ORDERS / 2, ORDERS), talking])
    nodes = [west, secondEast]
    await boss.devices[0].hears('/user/queue/operations', isAt(first, 'SUCCEEDED'))
    t.pass('the bulk update came to its end')
  },
)

await t.test('the afternoon: messages are read, and the rest is updated', async (t) => {
  await Promise.all(people.map((_, i) => readPrivately(i)))
  await until(async () => {
    const { body } = await admin.post('/admin/orders/bulk-status', {
      where: {},
      status: 'READY',
      dryRun: true,
    })
    return body['count'] === ORDERS
  })
  const second = await bulk({ orderIds: HURRIED, status: 'READY' })
  await boss.devices[1].hears('/user/queue/operations', isAt(second, 'SUCCEEDED'))
  await admin.post('/admin/broadcasts', { title: 'Good night', message: 'The day ends' })
  t.pass('everything was done')
})

/** What each person has to have, of each stream. */
const logs = new Map<string, readonly SeenEvent[]>()

await t.test(
  'every device of everybody has each event of each of its streams once and in order',
  async (t) => {
    await until(async () => (await deadLetters()) === published.poison)
    let compared = 0
    let returns = 0
    for (const { name, devices, streams } of everybody) {
      for (const [destination, stream] of streams) {
        const log = logs.get(stream) ?? (await logOf(store, stream))
        logs.set(stream, log)
        for (const [i, device] of devices.entries()) {
          const seen = await device.upTo(destination, log.length)
          compared += log.length
          t.same(seen, log, `${name}, device ${i}, ${destination}`)
        }
      }
      for (const device of devices) {
        returns += device.returns
        t.same(device.losses, [], `${name} recovered all`)
      }
    }
    t.ok(returns >= everybody.length, 'the devices of the node that died came back')
    t.comment(
      `${everybody.length} people, ${everybody.length * 2} devices, ${returns} returns, ${compared} events compared`,
    )
  },
)

await t.test('readers of server-sent events saw the same', async (t) => {
  for (const [i, listener] of listeners.entries()) {
    const wanted = logs.get(`/user/${USERS[i]}/queue/orders`)!
    const events = (): string[] =>
      listener.events.items.filter(({ event }) => event === 'order').map(({ data }) => data)
    await until(async () => events().length >= wanted.length)
    t.same(
      events(),
      wanted.map(({ body }) => body),
    )
  }
})

await t.test('what everybody sees on a device is what the store has', async (t) => {
  let [orderCount, notificationCount, messageCount] = [0, 0, 0]
  for (const [i, { name, streams }] of people.entries()) {
    const api = await ApiClient.as(nodes[i % 2]!, name)
    const log = (queue: string): readonly SeenEvent[] => logs.get(`/user/${name}/queue/${queue}`)!
    const own = await allItems(api, '/orders?')
    t.same(orderView(own), orderView(parsed(log('orders'))), `orders of ${name}`)
    const notifications = await allItems(api, '/notifications?')
    t.same(notificationView(notifications), notificationView(parsed(log('notifications'))))
    const talks = await allItems(api, `/conversations/${partner(i)}/messages?`)
    const between = parsed(log('messages')).filter((said) =>
      [said['sender'], said['receiver']].includes(partner(i)),
    )
    t.same(messageView(talks), messageView(between), `${name} and ${partner(i)}`)
    orderCount += own.length
    notificationCount += notifications.length
    messageCount += talks.length
    t.ok(streams.size > 0)
  }
  t.equal(orderCount, ORDERS)
  for (const room of [...ROOMS, BOARD]) {
    const items = await allItems(admin, `/rooms/${room}/messages?`)
    t.same(messageView(items), roomView(parsed(logs.get(`/topic/rooms.${room}`)!)), room)
    messageCount += items.length
  }
  t.comment(`${orderCount} orders, ${notificationCount} notifications, ${messageCount} messages`)
})

await t.test('each order was taken in once and changed once; what was none is a dead letter', async (t) => {
  const changes = parsed(logs.get('/topic/orders')!)
  const histories = new Map<unknown, string[]>()
  for (const { orderId, status } of changes)
    histories.set(orderId, [...(histories.get(orderId) ?? []), String(status)])
  t.equal(histories.size, ORDERS)
  const hurried = new Set(HURRIED)
  const odd = [...histories].filter(([orderId, statuses]) => {
    const index = Number(String(orderId).replace('order-', ''))
    // The first update met what had come in before it, and may have met what came while it ran.
    const wasThere = index < ORDERS / 2 || statuses.includes('PREPARED')
    const wanted = [
      'PLACED',
      ...(wasThere ? ['PREPARED'] : []),
      ...(hurried.has(String(orderId)) ? ['READY'] : []),
    ]
    return statuses.join() !== wanted.join()
  })
  t.same(odd, [])
  t.equal(await deadLetters(), published.poison)
  t.comment(`${published.messages} messages of order services, ${published.poison} of them poison`)
})

await Promise.all(everybody.flatMap(({ devices }) => devices.map((device) => device.stop())))

async function deadLetters(): Promise<number> {
  return (await allItems(admin, '/admin/dead-letters?')).length
}
