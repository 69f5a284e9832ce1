import { randomUUID } from 'node:crypto'
import type { Channel } from 'amqplib'
import t, { type Test } from 'tap'
import { AmqpConnection } from '../../../src/broker/rabbitmq/amqp-connection.ts'
import { Bindings } from '../../../src/broker/rabbitmq/bindings.ts'
import { socketUnder } from '../../../src/broker/rabbitmq/cork-each-turn.ts'
import type { Route } from '../../../src/broker/rabbitmq/exchanges.ts'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'

const EXCHANGE = 'bindings.test'
const MANY = 2_000

const rabbit = await useRabbitMq(t)

interface Bound {
  readonly bindings: Bindings
  readonly channel: Channel
  readonly connection: AmqpConnection
  readonly queue: string
}

async function useChannel(t: Test): Promise<Omit<Bound, 'bindings'>> {
  const url = parseBrokerUrl(rabbit.amqpUrl, 'amqp', 5672)
  const options = { url, name: 'test', connectTimeoutMs: 10_000, heartBeatMs: 10_000 }
  const connection = await AmqpConnection.open(url.hosts[0]!, options, new AbortController().signal)
  t.teardown(() => connection.destroy())
  const channel = await connection.channel(() => undefined)
  await channel.assertExchange(EXCHANGE, 'topic', { durable: false })
  const { queue } = await channel.assertQueue('', { exclusive: true })
  return { channel, connection, queue }
}

async function useBindings(t: Test, { maxLingering = 10 } = {}): Promise<Bound> {
  const bound = await useChannel(t)
  const bindings = new Bindings({ maxBindings: MANY + 10, maxLingering, lingerMs: 600_000 })
  await bindings.attach(bound.channel, bound.queue)
  t.teardown(() => bindings.detach())
  return { ...bound, bindings }
}

function newRoute(): Route {
  return { exchange: EXCHANGE, key: randomUUID() }
}

/** Which of the routes lead to the queue. */
async function inForce(
  { channel, queue }: Omit<Bound, 'bindings'>,
  routes: readonly Route[],
): Promise<string[]> {
  for (const { key } of routes) channel.publish(EXCHANGE, key, Buffer.from(key))
  const keys: string[] = []
  // RabbitMQ answers what is asked on one channel in order.
  for (;;) {
    const message = await channel.get(queue, { noAck: true })
    if (message === false) return keys
    keys.push(message.content.toString())
  }
}

await t.test('what is given back before its turn is never asked of RabbitMQ', async (t) => {
  const { bindings, channel } = await useBindings(t)
  const socket = socketUnder(channel.connection)
  const before = socket.bytesWritten
  const waiting = Array.from({ length: MANY }, async () => {
    const route = newRoute()
    const ready = bindings.acquire(route)
    bindings.release(route)
    return ready
  })
  await Promise.all(waiting)
  await bindings.acquire(newRoute())
  t.ok(socket.bytesWritten - before < 1_000, `${socket.bytesWritten - before} bytes for ${MANY} topics`)
})

await t.test(
  'a binding that is given back while it is made stays for a while, for who comes next',
  async (t) => {
    const bound = await useBindings(t)
    const route = newRoute()
    const ready = bound.bindings.acquire(route)
    bound.bindings.release(route)
    await ready
    t.strictSame(await inForce(bound, [route]), [route.key])
    await bound.bindings.acquire(route)
    t.strictSame(await inForce(bound, [route]), [route.key])
  },
)

await t.test('a binding that is given back while it is made is unbound in the end', async (t) => {
  const bound = await useBindings(t, { maxLingering: 0 })
  const route = newRoute()
  const ready = bound.bindings.acquire(route)
  bound.bindings.release(route)
  await ready
  // The first comes before the unbind, the second behind it.
  for (let i = 0; i < 2; i++) await bound.bindings.acquire(newRoute())
  t.strictSame(await inForce(bound, [route]), [])
})

await t.test('tells how many there are, and how many RabbitMQ has yet to be asked for', async (t) => {
  const { bindings } = await useBindings(t)
  const bound = Array.from({ length: 5 }, async () => bindings.acquire(newRoute()))
  t.match(bindings, { known: 5, waiting: 4 })
  await Promise.all(bound)
  t.match(bindings, { known: 5, waiting: 0 })
})

await t.test('of more than may linger the oldest are unbound', async (t) => {
  const bound = await useBindings(t, { maxLingering: 1 })
  const routes = [newRoute(), newRoute(), newRoute()]
  await Promise.all(routes.map(async (route) => bound.bindings.acquire(route)))
  for (const route of routes) bound.bindings.release(route)
  // Binds and unbinds take turns: two of these come behind both unbinds.
  for (let i = 0; i < 2; i++) await bound.bindings.acquire(newRoute())
  t.strictSame(await inForce(bound, routes), [routes[2]?.key])
})

await t.test('a binding that is wanted again while it is unbound is bound again', async (t) => {
  const bound = await useBindings(t, { maxLingering: 0 })
  const { bindings } = bound
  const [fickle, wanted] = [newRoute(), newRoute()]
  await Promise.all([fickle, wanted].map(async (route) => bindings.acquire(route)))
  for (const route of [fickle, wanted]) bindings.release(route)
  // The first is being unbound, the second waits for its turn.
  const again = bindings.acquire(fickle)
  bindings.release(fickle)
  await Promise.all([again, bindings.acquire(fickle), bindings.acquire(wanted)])
  t.strictSame(await inForce(bound, [fickle, wanted]), [fickle.key, wanted.key])
  bindings.release(fickle)
  await bindings.acquire(newRoute())
  await bindings.acquire(newRoute())
  t.strictSame(await inForce(bound, [fickle, wanted]), [wanted.key])
})

await t.test('what is wanted is bound over the next channel, and what lingered is not', async (t) => {
  const { bindings } = await useBindings(t)
  const [wanted, lingering, givenBack] = [newRoute(), newRoute(), newRoute()]
  await Promise.all([bindings.acquire(wanted), bindings.acquire(lingering)])
  bindings.release(lingering)
  const underWay = bindings.acquire(givenBack)
  bindings.release(givenBack)
  bindings.detach()
  await underWay
  const next = await useChannel(t)
  const late = newRoute()
  const ready = bindings.acquire(late)
  await Promise.all([bindings.attach(next.channel, next.queue), ready])
  t.strictSame(await inForce(next, [wanted, lingering, givenBack, late]), [wanted.key, late.key])
})

await t.test('what was given back while the link was down is unbound when it is back', async (t) => {
  const bound = await useBindings(t)
  const { bindings, connection, queue } = bound
  const [lingering, left, again, wanted] = [newRoute(), newRoute(), newRoute(), newRoute()]
  const all = [lingering, left, again, wanted]
  await Promise.all(all.map(async (route) => bindings.acquire(route)))
  bindings.release(lingering)
  bindings.detach()
  bindings.release(left)
  bindings.release(again)
  const next = { connection, queue, channel: await connection.channel(() => undefined) }
  const back = bindings.acquire(again)
  await Promise.all([bindings.attach(next.channel, queue), back])
  // Binds and unbinds take turns: two of these come behind both unbinds.
  for (let i = 0; i < 2; i++) await bindings.acquire(newRoute())
  t.strictSame(await inForce(next, all), [again.key, wanted.key])
})
