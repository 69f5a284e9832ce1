import { connect, type ConsumeMessage } from 'amqplib'
import t from 'tap'
import type { ControlMessage } from '../../../src/broker/broker.ts'
import { Inbox } from '../../support/inbox.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { bytes, untilUp, useBroker } from './setup.ts'

const rabbit = await useRabbitMq(t)

await t.test(
  'what is published arrives at another node with its headers, properties and event id',
  async (t) => {
    const { broker: sender } = await useBroker(t, rabbit)
    const { broker, received } = await useBroker(t, rabbit)
    await untilUp(sender)
    await broker.watch({ kind: 'topic', pattern: 'a.*' })
    await sender.publish({
      address: { kind: 'topic', topic: 'a.ä/b' },
      headers: [
        'content-type',
        'text/plain',
        'x-own',
        'line\nfeed:colon',
        'priority',
        '3',
        'x-own',
        'second',
      ],
      body: bytes('hello'),
      persistent: true,
      eventId: 'e:1',
    })
    await received.count(1)
    const [delivery] = received.deliveries
    t.same(delivery?.address, { kind: 'topic', topic: 'a.ä/b' })
    t.equal(delivery?.eventId, 'e:1')
    t.same(
      new Map(pairs(delivery?.headers ?? [])),
      new Map([
        ['x-own', 'line\nfeed:colon'],
        ['priority', '3'],
        ['content-type', 'text/plain'],
      ]),
    )
    t.same(received.bodies, ['hello'])
  },
)

function pairs(headers: readonly string[]): [string, string][] {
  return headers.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, headers[i + 1] ?? '']] : []))
}

await t.test(
  'an outsider who forges relay headers is a stranger, and reaches no user and no private name',
  async (t) => {
    const { broker, received } = await useBroker(t, rabbit)
    await broker.watch({ kind: 'topic', pattern: 'forged' })
    await broker.watch({ kind: 'user', user: 'ann' })
    await broker.watch({ kind: 'private', topic: 'room' })
    const controls = new Inbox<ControlMessage>()
    broker.onControl(controls.push)
    await untilUp(broker)
    const connection = await connect(rabbit.amqpUrl)
    t.teardown(async () => connection.close())
    const channel = await connection.createConfirmChannel()
    // The account in the header table, which RabbitMQ does not check, looks like the property on a MESSAGE.
    const headers = {
      'user-id': new URL(rabbit.amqpUrl).username,
      'event-id': 'e:1',
      'x-relay-origin': 'boot.1',
      'x-relay-mark': 'AAAAAAAAAAAAAAAAAAAAAA',
      'x-relay-destination': '/queue/orders',
      own: 'kept',
    }
    channel.publish('stomp-relay.user', 'ann', Buffer.from('user'), { headers })
    channel.publish('stomp-relay.private', 'room', Buffer.from('private'), { headers })
    const control = Buffer.from(JSON.stringify({ kind: 'k', body: 'forged' }))
    channel.publish('stomp-relay.private', 'stomp-relay.control', control, { headers })
    channel.publish('stomp-relay.private', 'stomp-relay.control.test', control, { headers })
    channel.publish('amq.topic', 'stomp-relay.control', control, { headers })
    channel.publish('amq.topic', 'forged', Buffer.from('first'), { headers })
    channel.publish('amq.topic', 'forged', Buffer.from('same origin again'), { headers })
    await received.count(2)
    t.strictSame(received.bodies, ['first', 'same origin again'])
    t.strictSame(received.deliveries[0]?.headers, ['own', 'kept'])
    t.equal(received.deliveries[0]?.eventId, undefined)
    await broker.control({ kind: 'k', body: 'genuine' }, 'test')
    t.match(await controls.at(0), { body: 'genuine' }, 'nor is it heard as a node')
  },
)

await t.test(
  'a copied relay message is dropped, and copied relay headers prove nothing elsewhere',
  async (t) => {
    const { broker, received } = await useBroker(t, rabbit)
    await broker.watch({ kind: 'topic', pattern: 'copied.#' })
    await untilUp(broker)
    const connection = await connect(rabbit.amqpUrl)
    t.teardown(async () => connection.close())
    const channel = await connection.createConfirmChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, 'amq.topic', 'copied.#')
    const seen = new Inbox<ConsumeMessage>()
    await channel.consume(queue, (each) => seen.push(each!), { noAck: true })
    const address = { kind: 'topic', topic: 'copied.a' } as const
    await broker.publish({ address, headers: [], body: bytes('genuine'), persistent: false, eventId: 'e:1' })
    const { properties } = await seen.at(0)
    const { userId, headers } = properties
    t.equal(userId, new URL(rabbit.amqpUrl).username)
    channel.publish('amq.topic', 'copied.a', Buffer.from('copy'), { userId, headers })
    channel.publish('amq.topic', 'copied.b', Buffer.from('elsewhere'), { userId, headers })
    await received.count(2)
    t.strictSame(received.bodies, ['genuine', 'elsewhere'])
    t.strictSame(
      received.deliveries.map(({ eventId }) => eventId),
      ['e:1', undefined],
    )
    t.equal(broker.counters.duplicates, 1)
  },
)

await t.test('what AMQP cannot carry is refused alone, and the next message passes', async (t) => {
  const { broker, received } = await useBroker(t, rabbit)
  const long = 'x'.repeat(256)
  await broker.watch({ kind: 'topic', pattern: 'fine' })
  await untilUp(broker)
  await t.rejects(broker.watch({ kind: 'topic', pattern: long }), { code: 'invalid-destination' })
  const publish = async (topic: string, headers: string[]): Promise<void> =>
    broker.publish({ address: { kind: 'topic', topic }, headers, body: bytes('x'), persistent: false })
  await t.rejects(publish(long, []), { code: 'invalid-destination' })
  const refused = [
    ['CC', 'elsewhere'],
    ['BCC', 'elsewhere'],
    ['expiration', 'soon'],
    ['expiration', '-1'],
    ['expiration', '315360000001'],
    ['priority', '256'],
    ['timestamp', '1.5'],
    ['correlation-id', long],
    [long, 'x'],
    ['big', 'x'.repeat(101 * 1024)],
  ]
  for (const headers of refused)
    await t.rejects(publish('fine', headers), { code: 'invalid-header' }, String(headers[0]))
  await publish('fine', ['__proto__', 'odd', 'expiration', '60000', 'x'.repeat(255), 'y'])
  await publish('fine', ['expiration', '315360000000'])
  await received.count(2)
  t.ok(received.deliveries[0]?.headers.includes('__proto__'))
  t.equal(broker.counters.reconnects, 0)
})

await t.test('a queue keeps what is published to it, declared as other services declare it', async (t) => {
  const { broker } = await useBroker(t, rabbit)
  await untilUp(broker)
  const publish = async (queue: string, body: string): Promise<void> =>
    broker.publish({
      address: { kind: 'queue', queue },
      headers: ['a', 'b'],
      body: bytes(body),
      persistent: true,
    })
  await Promise.all(['1', '2', '3'].map(async (body) => publish('kept', body)))
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createChannel()
  t.match(await channel.assertQueue('kept', { durable: true }), { messageCount: 3 })
  const first = await channel.get('kept', { noAck: true })
  t.match(first, { properties: { deliveryMode: 2, headers: { a: 'b' } } })
  await channel.assertQueue('other', { durable: true, arguments: { 'x-max-length': 5 } })
  await publish('other', 'into a queue of another shape')
  t.match(await channel.checkQueue('other'), { messageCount: 1 })
})

await t.test('a full window refuses, a nacked message is refused alone', async (t) => {
  const { broker } = await useBroker(t, rabbit, { limits: { pendingMessages: 2 } })
  await untilUp(broker)
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createChannel()
  const args = { 'x-max-length': 0, 'x-overflow': 'reject-publish' }
  await channel.assertQueue('full', { durable: true, arguments: args })
  const publish = async (queue: string): Promise<void> =>
    broker.publish({ address: { kind: 'queue', queue }, headers: [], body: bytes('x'), persistent: false })
  const results = await Promise.allSettled(['full', 'room', 'room'].map(publish))
  const codes = results.map((result) => (result.status === 'rejected' ? String(result.reason.code) : 'done'))
  t.strictSame(codes, ['broker-refused', 'done', 'too-many-pending'])
  await publish('room')
})

await t.test('a binding lingers after its last watch, and goes after that', async (t) => {
  const { broker } = await useBroker(t, rabbit, { timeouts: { lingerMs: 500 } })
  await untilUp(broker)
  const bindings = async (): Promise<string> => rabbit.ctl('list_bindings', '-p', rabbit.vhost, 'routing_key')
  const watches = await Promise.all(
    [1, 2].map(async () => broker.watch({ kind: 'topic', pattern: 'linger.a' })),
  )
  watches[0]?.close()
  watches[0]?.close()
  t.match(await bindings(), /linger\.a/, 'one watch is left')
  watches[1]?.close()
  const again = await broker.watch({ kind: 'topic', pattern: 'linger.a' })
  again.close()
  for (let left = await bindings(); left.includes('linger.a'); left = await bindings());
  t.pass('unbound')
  const { broker: narrow } = await useBroker(t, rabbit, { limits: { bindings: 1 } })
  await narrow.watch({ kind: 'topic', pattern: 'one' })
  await t.rejects(narrow.watch({ kind: 'topic', pattern: 'two' }), { code: 'too-many-subscriptions' })
})
