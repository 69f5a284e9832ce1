import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import type { MemoryLimits } from '../../src/broker/memory/memory-limits.ts'
import { message, openClient, texts, type ContractTest } from './contract/scene.ts'

async function openMemory(t: ContractTest, limits: Partial<MemoryLimits>) {
  const broker = createMemoryBroker({ limits })
  t.teardown(async () => broker.close())
  return { broker, client: await openClient(t, broker) }
}

const queued = (queue: string, body: string) => message({ kind: 'queue', queue }, body)

await t.test('refuses what a full queue has no room for, and takes it again later', async (t) => {
  const { broker, client } = await openMemory(t, { queueMessages: 2, queueBytes: 10 })
  for (const body of ['1', '2']) await broker.publish(queued('q', body))
  await t.rejects(broker.publish(queued('q', '3')), { code: 'broker-refused' })
  await t.rejects(client.send('/queue/q', '3'), { code: 'broker-refused' })
  await client.send('/queue/other', '123456789')
  await t.rejects(client.send('/queue/other', '12'), { code: 'broker-refused' })
  t.equal(broker.counters.refused, 3)
  await client.subscribe('/queue/q')
  await client.messages.atLeast(2)
  await client.send('/queue/q', '3')
  t.strictSame(texts(await client.messages.atLeast(3)), ['1', '2', '3'])
})

await t.test('drops the oldest of a topic subscription that lags, and lets publishers be', async (t) => {
  const { broker, client } = await openMemory(t, { queueMessages: 2 })
  await client.subscribe('/topic/a', { ack: 'client', headers: ['prefetch-count', '1'] })
  await client.send('/topic/a', '0')
  await client.messages.atLeast(1)
  for (const body of ['1', '2', '3']) await client.send('/topic/a', body)
  t.equal(broker.counters.droppedOldest, 1)
  for (const index of [0, 1]) await client.ack(index)
  t.strictSame(texts(await client.messages.atLeast(3)), ['0', '2', '3'])
})

await t.test('makes no more queues than it may', async (t) => {
  const { broker, client } = await openMemory(t, { queues: 2 })
  await client.subscribe('/topic/a')
  await client.send('/queue/q', '1')
  await t.rejects(client.send('/queue/other', '1'), { code: 'broker-refused' })
  await t.rejects(client.subscribe('/topic/b'), { code: 'broker-refused' })
  t.equal(broker.counters.queuesRefused, 2)
  await client.session.unsubscribe('/topic/a', [])
  await client.subscribe('/topic/b')
})

await t.test('withholds messages from a session that acknowledges nothing', async (t) => {
  const { broker, client } = await openMemory(t, { unackedMessages: 2 })
  for (const body of ['1', '2', '3', '4']) await broker.publish(queued('q', body))
  await broker.publish(queued('other', 'o'))
  await client.subscribe('/queue/q', { ack: 'client-individual' })
  await client.messages.atLeast(2)
  await client.subscribe('/queue/other', { ack: 'client-individual' })
  await turn()
  t.strictSame(texts(client.messages.items), ['1', '2'])
  t.equal(broker.counters.withheld, 1)
  await client.ack(0)
  t.strictSame(texts(await client.messages.atLeast(3)), ['1', '2', '3'])
  for (const index of [1, 2]) await client.ack(index)
  t.strictSame(texts(await client.messages.atLeast(5)).toSorted(), ['1', '2', '3', '4', 'o'])
})

await t.test('withholds by bytes, too', async (t) => {
  const { broker, client } = await openMemory(t, { unackedBytes: 10 })
  for (const body of ['0123456789', '2']) await broker.publish(queued('q', body))
  await client.subscribe('/queue/q', { ack: 'client' })
  await client.messages.atLeast(1)
  await turn()
  t.equal(client.messages.items.length, 1)
  await client.ack(0)
  t.strictSame(texts(await client.messages.atLeast(2)), ['0123456789', '2'])
})

await t.test(
  'bounds the subscriptions of a session, those with unacknowledged messages included',
  async (t) => {
    const { broker, client } = await openMemory(t, { sessionSubscriptions: 2 })
    await client.subscribe('/queue/q', { ack: 'client' })
    await client.send('/queue/q', '1')
    await client.messages.atLeast(1)
    await client.session.unsubscribe('/queue/q', [])
    await client.send('/queue/q', '2', { headers: ['reply-to', '/temp-queue/a'] })
    await client.send('/queue/q', '3', { headers: ['x', 'reply-to', 'reply-to', '/temp-queue/a'] })
    const beyond = { code: 'too-many-subscriptions' }
    await t.rejects(client.send('/queue/q', '4', { headers: ['reply-to', '/temp-queue/b'] }), beyond)
    await t.rejects(client.subscribe('/queue/other'), beyond)
    t.equal(broker.counters.subscriptionsRefused, 2)
    await t.rejects(client.session.unsubscribe('/temp-queue/a', []), { code: 'unknown-subscription' })
    const reader = await openClient(t, broker)
    await reader.subscribe('/queue/q')
    const [second, third] = await reader.messages.atLeast(2)
    t.same(third?.headers.slice(0, 2), ['x', 'reply-to'], 'a value that looks like the name stays')
    t.same(third?.headers.at(-1), second?.headers.at(-1), 'the same name is the same queue')
  },
)

await t.test('bounds open transactions and what each holds', async (t) => {
  const limits = { transactions: 2, transactionActions: 2, transactionBytes: 10 }
  const { broker, client } = await openMemory(t, limits)
  const beyond = { code: 'too-many-pending' }
  for (const id of ['a', 'b']) await client.session.begin(id)
  await t.rejects(client.session.begin('c'), beyond)
  await t.rejects(client.session.begin('a'), { code: 'conflict' })
  for (const body of ['1', '2']) await client.send('/queue/q', body, { transaction: 'a' })
  await t.rejects(client.send('/queue/q', '3', { transaction: 'a' }), beyond)
  await t.rejects(client.send('/queue/q', '01234567890', { transaction: 'b' }), beyond)
  t.equal(broker.counters.transactionsRefused, 3)
  await client.subscribe('/queue/q')
  for (const id of ['b', 'a']) await client.session.commit(id)
  t.strictSame(texts(await client.messages.atLeast(2)), ['1', '2'])
})

await t.test('does at COMMIT what it can, and rejects with the first fault', async (t) => {
  const { client } = await openMemory(t, { queueMessages: 1 })
  await client.session.begin('tx')
  for (const [destination, body] of [
    ['/queue/q', '1'],
    ['/queue/q', 'no room'],
    ['/nonsense', 'nowhere'],
    ['/queue/other', '2'],
  ] as const) {
    await client.send(destination, body, { transaction: 'tx' })
  }
  await t.rejects(client.session.commit('tx'), { code: 'broker-refused' })
  for (const queue of ['q', 'other']) await client.subscribe(`/queue/${queue}`)
  t.strictSame(texts(await client.messages.atLeast(2)), ['1', '2'])
})

await t.test('lets other work have its turn while a long queue is handed out', async (t) => {
  const { broker, client } = await openMemory(t, { turnMessages: 10, turnBytes: 50 })
  for (let index = 0; index < 100; index += 1) await broker.publish(queued('q', '1'))
  await client.subscribe('/queue/q')
  await client.messages.atLeast(1)
  t.equal(client.messages.items.length, 10)
  await client.messages.atLeast(100)
  await broker.publish(queued('large', 'x'.repeat(50)))
  await broker.publish(queued('large', 'y'))
  await client.subscribe('/queue/large')
  await client.messages.atLeast(101)
  t.equal(client.messages.items.length, 101)
  await client.messages.atLeast(102)
})

await t.test('keeps no more of a message than its body', async (t) => {
  const { broker, client } = await openMemory(t, {})
  const whole = Buffer.alloc(262_144, 'x')
  const body = whole.subarray(0, 1)
  const send = { destination: '/queue/q', headers: [], body }
  await client.session.begin('tx')
  await client.session.send({ ...send, transaction: 'tx' }, { confirm: true })
  whole.fill('y')
  await client.session.send(send, { confirm: true })
  await broker.publish({ ...queued('q', ''), body })
  await client.subscribe('/topic/a', { ack: 'client', headers: ['prefetch-count', '1'] })
  await client.session.send({ ...send, destination: '/topic/a' }, { confirm: true })
  await client.session.commit('tx')
  await client.subscribe('/queue/q')
  const messages = await client.messages.atLeast(4)
  t.strictSame(texts(messages).toSorted(), ['x', 'y', 'y', 'y'], 'a transaction has its own copy')
  for (const each of messages) t.equal(each.body.buffer.byteLength, 1)
})

await t.test('lets nobody read the private queue of another session', async (t) => {
  const { broker, client: asker } = await openMemory(t, {})
  const other = await openClient(t, broker)
  await other.subscribe('/queue/q')
  for (const index of [1, 2]) {
    await asker.send('/queue/q', 'question', { headers: ['reply-to', `/temp-queue/${index}`] })
  }
  const [first, second] = (await other.messages.atLeast(2)).map((each) => header(each.headers, 'reply-to'))
  t.match(first, /^\/reply-queue\/amq\.gen-[\w-]{22}$/)
  t.not(first, second)
  const name = first!.slice('/reply-queue/'.length)
  for (const prefix of ['/reply-queue/', '/amq/queue/']) {
    await t.rejects(other.subscribe(prefix + name), { code: 'broker-refused' })
    await other.send(prefix + name, 'answer')
  }
  t.strictSame(texts(await asker.messages.atLeast(2)), ['answer', 'answer'])
})

await t.test('counts what went nowhere', async (t) => {
  const { broker, client } = await openMemory(t, {})
  await client.send('/amq/queue/missing', 'x')
  await client.send('/reply-queue/missing', 'x')
  await client.send('/queue/q', 'x')
  await client.subscribe('/queue/q', { ack: 'client' })
  await client.nack(0, false)
  await client.send('/queue/q', 'x')
  await client.messages.atLeast(2)
  await client.session.unsubscribe('/queue/q', [])
  await t.rejects(client.ack(1), { code: 'unknown-subscription' })
  t.match(broker.counters, { unroutable: 2, deadLettered: 1 })
})

await t.test('refuses what only RabbitMQ can do, by name', async (t) => {
  const { client } = await openMemory(t, {})
  await t.rejects(client.subscribe('/exchange/other/key'), { code: 'unknown-destination' })
  await t.rejects(client.subscribe('/temp-queue/x'), { code: 'unknown-destination' })
  await t.rejects(client.send('/queue/amq.x', 'x'), { code: 'invalid-destination' })
  for (const count of ['-1', 'x', '70000', '1.5']) {
    const headers = ['prefetch-count', count]
    await t.rejects(client.subscribe('/queue/q', { headers }), { code: 'invalid-header' })
  }
  await client.subscribe('/queue/a%2Fb', { headers: ['prefetch-count', '0'] })
  await t.rejects(client.subscribe('/queue/a%2Fb'), { code: 'conflict' })
  await client.send('/queue/a%2fb', 'x')
  t.equal((await client.messages.at(0)).destination, '/queue/a%2Fb')
})

await t.test('says that it is not up before it has started', async (t) => {
  const { broker, client } = await openMemory(t, {})
  t.same(broker.status(), { isUp: false, detail: 'not started' })
  await broker.watch({ kind: 'topic', pattern: 'a' })
  await client.send('/topic/a', 'nobody listens yet')
})
