import { randomUUID } from 'node:crypto'
import { connect } from 'amqplib'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { MessageError } from '../../../src/errors.ts'
import { Inbox } from '../../support/inbox.ts'
import { useRabbitMq, type TestRabbitMq } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import { useDisguise, type Disguise } from './disguise.ts'
import { bytes, untilUp, useBroker, type StartedBroker } from './setup.ts'

t.setTimeout(180_000)

const rabbit = await useRabbitMq(t)

interface Line {
  readonly event: string
  readonly level: number
  readonly [field: string]: unknown
}

interface Told extends StartedBroker {
  /** What the node has logged. */
  readonly lines: Line[]
  eventsOf(prefix: string): string[]
}

const WARN = 40

async function useTold(t: Test, urls: Pick<TestRabbitMq, 'stompUrl' | 'amqpUrl'> = rabbit): Promise<Told> {
  const lines: Line[] = []
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as Line) })
  const started = await useBroker(t, urls, { log })
  const eventsOf = (prefix: string): string[] =>
    lines.map(({ event }) => event).filter((event) => event.startsWith(prefix))
  return { ...started, lines, eventsOf }
}

/** The URLs with a broker that says it is something else. */
async function useDisguised(
  t: Test,
  ...words: Disguise['words']
): Promise<{ urls: { stompUrl: string; amqpUrl: string }; disguise: Disguise }> {
  const amqp = new URL(rabbit.amqpUrl)
  const disguise = await useDisguise(t, Number(amqp.port))
  disguise.words = words
  amqp.port = String(disguise.port)
  return { urls: { stompUrl: rabbit.stompUrl, amqpUrl: amqp.href }, disguise }
}

async function passesOn({ broker, received }: Told): Promise<void> {
  await broker.watch({ kind: 'topic', pattern: 'v' })
  await untilUp(broker)
  await broker.publish(
    { address: { kind: 'topic', topic: 'v' }, headers: [], body: bytes('x'), persistent: false },
    { patient: true },
  )
  await received.count(1)
}

/** What the installed one calls itself. */
const installed = await (async () => {
  const connection = await connect(rabbit.amqpUrl)
  const { product, version } = Reflect.get(connection.connection, 'serverProperties') as Record<
    string,
    string
  >
  await connection.close()
  return { product: product ?? '', version: version ?? '' }
})()

function versioned(other: string): readonly [string, string] {
  return [installed.version, other.padEnd(installed.version.length)]
}

await t.test('the node says once what its broker is, and shows it', async (t) => {
  const { urls, disguise } = await useDisguised(t)
  const told = await useTold(t, urls)
  await passesOn(told)
  t.same(told.broker.status().server, installed)
  t.match(
    told.lines.find(({ event }) => event === 'broker-version'),
    installed,
  )
  disguise.cut()
  await until(() => told.broker.counters.reconnects >= 2)
  await untilUp(told.broker)
  t.strictSame(told.eventsOf('broker-version'), ['broker-version'], 'the same one is no news')
  disguise.words = [versioned('4.3.0')]
  disguise.cut()
  await until(() => told.broker.status().server?.version === '4.3.0')
  t.strictSame(told.eventsOf('broker-version'), ['broker-version', 'broker-version'], 'an upgrade is')
  t.strictSame(told.eventsOf('broker-limit-topic-queues'), ['broker-limit-topic-queues'])
})

for (const [name, word, event] of [
  ['a version before 3.10', versioned('3.9.1'), 'broker-version-old'],
  ['a version that is none', versioned('main'), 'broker-version-unknown'],
  [
    'another product',
    [installed.product, 'LavinMQ'.padEnd(installed.product.length)],
    'broker-product-unknown',
  ],
  [
    'a broker that tells of no alarms',
    ['connection.blocked', 'connection.bl0cked'],
    'broker-lacks-connection-blocked',
  ],
] as const) {
  await t.test(`${name} gives a warning, and is used`, async (t) => {
    const { urls } = await useDisguised(t, word)
    const told = await useTold(t, urls)
    await passesOn(told)
    const warnings = told.lines.filter(({ level }) => level >= WARN).map((line) => line.event)
    t.strictSame(warnings, [event])
  })
}

/** A virtual host of these options, with the queue `user` of that type in it. */
async function useVhost(t: Test, options: string[], type?: string): Promise<TestRabbitMq> {
  const vhost = `version-${randomUUID()}`
  await rabbit.ctl('add_vhost', vhost, ...options)
  t.teardown(async () => {
    await rabbit.ctl('delete_vhost', vhost)
  })
  await rabbit.ctl('set_permissions', '-p', vhost, new URL(rabbit.amqpUrl).username, '.*', '.*', '.*')
  const [stompUrl = '', amqpUrl = ''] = [rabbit.stompUrl, rabbit.amqpUrl].map((url) => {
    const changed = new URL(url)
    changed.pathname = `/${vhost}`
    return changed.href
  })
  if (type !== undefined) {
    const connection = await connect(amqpUrl)
    const channel = await connection.createChannel()
    await channel.assertQueue('user', { durable: true, arguments: { 'x-queue-type': type } })
    await connection.close()
  }
  return { ...rabbit, stompUrl, amqpUrl, vhost }
}

async function takesOrders({ broker }: Told): Promise<void> {
  const taken = new Inbox<string>()
  await untilUp(broker)
  await broker.consume('user', { prefetch: 5 }, async ({ body }) =>
    taken.push(new TextDecoder().decode(body)),
  )
  // RabbitMQ may refuse what comes before a quorum queue has its leader.
  await until(async () => isPublished(broker))
  await taken.at(0)
}

async function isPublished(broker: StartedBroker['broker']): Promise<boolean> {
  const address = { kind: 'queue', queue: 'user' } as const
  try {
    await broker.publish({ address, headers: [], body: bytes('order'), persistent: true }, { patient: true })
    return true
  } catch (error) {
    if (error instanceof MessageError && error.code === 'broker-refused') return false
    throw error
  }
}

await t.test('a queue of orders that an operator made quorum is taken as it is, and said', async (t) => {
  const told = await useTold(t, await useVhost(t, [], 'quorum'))
  await takesOrders(told)
  t.match(
    told.lines.find(({ event }) => event === 'broker-queue-differs'),
    { level: WARN, queue: 'user', type: 'quorum', msg: /\/amq\/queue\/user works/ },
  )
})

await t.test('a virtual host whose default queue type is quorum is found by asking, and said', async (t) => {
  const told = await useTold(t, await useVhost(t, ['--default-queue-type', 'quorum']))
  await takesOrders(told)
  t.match(
    told.lines.find(({ event }) => event === 'broker-queue-type'),
    { queue: 'user', type: 'quorum' },
  )
  t.strictSame(told.eventsOf('broker-queue-differs'), [], 'plain SENDs get through there')
})

await t.test('of the queue as services declare it nothing is said', async (t) => {
  const told = await useTold(t, await useVhost(t, []))
  await takesOrders(told)
  t.strictSame(told.eventsOf('broker-queue'), [])
})
