import t from 'tap'
import { OrderIntake } from '../../src/app/orders/order-intake.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import type { Broker, ConsumedMessage } from '../../src/broker/broker.ts'
import { MessageError } from '../../src/errors.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { Store, StoreTransaction } from '../../src/store/store.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Inbox } from '../support/inbox.ts'
import { temporaryFolder } from '../support/relay.ts'
import { until } from '../support/until.ts'

interface Rig {
  readonly broker: Broker
  readonly store: Store
  readonly intake: OrderIntake
  /** What `watchDead` saw in `user.dead-letter`. */
  readonly dead: Inbox<ConsumedMessage>
  readonly watchDead: () => Promise<void>
  readonly send: (order: Readonly<Record<string, unknown>>) => Promise<void>
}

/** An intake on real parts, but that finding an order first does what the test says. */
async function rig(
  t: Test,
  beforeFind: (orderId: string) => Promise<void>,
  broker = createMemoryBroker(),
): Promise<Rig> {
  const store = await openStore({ url: `sqlite:${await temporaryFolder(t)}/a.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  t.teardown(() => broker.close())
  await broker.start({ onMessage: () => undefined, onHole: () => undefined })
  const transact: Store['transact'] = (work) => store.transact((tx) => work(faulty(tx, beforeFind)))
  const appender = new StreamAppender({
    store: { epoch: store.epoch, transact },
    relay: { push: () => undefined, recheck: () => undefined },
  })
  t.teardown(() => appender.close())
  const intake = new OrderIntake({
    broker,
    store,
    appender,
    log: createLog({ level: 'silent', nodeId: 'n' }),
  })
  t.teardown(() => intake.close())
  await intake.start()
  const dead = new Inbox<ConsumedMessage>()
  const watchDead = async (): Promise<void> => {
    await broker.consume('user.dead-letter', { prefetch: 10 }, async (message) => dead.push(message))
  }
  return {
    broker,
    watchDead,
    store,
    intake,
    dead,
    send: (order) =>
      broker.publish({
        address: { kind: 'queue', queue: 'user' },
        headers: ['x-a', 'b'],
        body: Buffer.from(JSON.stringify({ userId: 'bob', status: 'PLACED', ...order })),
        persistent: true,
      }),
  }
}

type Test = Parameters<typeof temporaryFolder>[0]

function faulty(tx: StoreTransaction, beforeFind: (orderId: string) => Promise<void>): StoreTransaction {
  const orders: StoreTransaction['orders'] = {
    async find(orderId) {
      await beforeFind(orderId)
      return tx.orders.find(orderId)
    },
    findMany: (ids) => tx.orders.findMany(ids),
    save: (row) => tx.orders.save(row),
  }
  return new Proxy(tx, {
    get(target, key) {
      if (key === 'orders') return orders
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

await t.test('an order whose handling fails five times for its own sake is a dead letter', async (t) => {
  let tries = 0
  const { send, dead, store, watchDead } = await rig(t, async (orderId) => {
    if (orderId === 'poison' && ++tries > 0) throw new Error('this order cannot be')
  })
  await watchDead()
  await send({ orderId: 'poison' })
  await send({ orderId: 'healthy' })
  const { headers, body } = await dead.at(0)
  t.equal(tries, 5)
  t.match(JSON.parse(Buffer.from(body).toString()), { orderId: 'poison' })
  t.match(headers.join(' '), /x-dead-letter-reason internal: this order cannot be .*x-a b/)
  const [row] = await store.deadLetters.list({ limit: 2 })
  t.match(row, { queue: 'user', reason: 'internal: this order cannot be' })
  t.equal(await store.orders.find('poison'), null)
  t.match(await store.orders.find('healthy'), { status: 'PLACED' }, 'others were not held up')
})

await t.test('an order is tried again and stored, when what failed works again', async (t) => {
  let tries = 0
  const done = new Inbox<string>()
  const { send, store, dead, intake } = await rig(t, async (orderId) => {
    if (++tries < 5) throw new Error('for now')
    done.push(orderId)
  })
  await send({ orderId: 'o' })
  await done.at(0)
  await intake.close()
  t.match(await store.orders.find('o'), { status: 'PLACED' })
  t.equal(dead.items.length, 0)
})

await t.test(
  'while the database is away nothing becomes a dead letter, however often it is tried',
  async (t) => {
    const tries = new Inbox<number>()
    let isAway = true
    const { send, store, dead, intake } = await rig(t, async () => {
      tries.push(0)
      if (isAway) throw new MessageError('store-unavailable', 'the database does not answer')
    })
    await send({ orderId: 'o' })
    await tries.atLeast(7)
    isAway = false
    const count = tries.items.length
    await tries.atLeast(count + 1)
    await intake.close()
    t.match(await store.orders.find('o'), { status: 'PLACED' })
    t.equal(dead.items.length, 0)
    t.same(await store.deadLetters.list({ limit: 1 }), [])
  },
)

await t.test('what waits for the database when the node stops goes back to the queue', async (t) => {
  const tries = new Inbox<number>()
  const { send, broker, intake, dead } = await rig(t, async () => {
    tries.push(0)
    throw new MessageError('store-unavailable', 'the database does not answer')
  })
  await send({ orderId: 'o' })
  await tries.atLeast(2)
  await intake.close()
  await intake.close()
  const next = new Inbox<ConsumedMessage>()
  await broker.consume('user', { prefetch: 1 }, async (message) => next.push(message))
  const { body, isRedelivered } = await next.at(0)
  t.match(JSON.parse(Buffer.from(body).toString()), { orderId: 'o' })
  t.equal(isRedelivered, true)
  t.equal(dead.items.length, 0)
})

await t.test(
  'a dead letter that the broker does not take is stored once, and the intake goes on',
  async (t) => {
    const full = createMemoryBroker({ limits: { queueMessages: 1, redeliveryMs: 1 } })
    const { send, broker, store, intake, watchDead, dead } = await rig(t, () => Promise.resolve(), full)
    await broker.publish({
      address: { kind: 'queue', queue: 'user.dead-letter' },
      headers: [],
      body: Buffer.from('the only one'),
      persistent: true,
    })
    await send({ orderId: 'not a name' })
    await until(async () => (await store.deadLetters.list({ limit: 5 })).length === 1)
    await send({ orderId: 'fine' })
    await until(async () => (await store.orders.find('fine')) !== null)
    t.match(await store.deadLetters.list({ limit: 5 }), [{ reason: /orderId/ }])
    t.equal((await store.deadLetters.list({ limit: 5 })).length, 1)
    await watchDead()
    t.equal(Buffer.from((await dead.at(0)).body).toString(), 'the only one')
    await intake.close()
    const rest = new Inbox<ConsumedMessage>()
    await broker.consume('user', { prefetch: 1 }, async (message) => rest.push(message))
    await send({ orderId: 'next' })
    t.match(Buffer.from((await rest.at(0)).body).toString(), /next/, 'nothing was given back')
  },
)
