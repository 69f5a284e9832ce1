import { connect } from 'amqplib'
import t from 'tap'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { useTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'
import { bytes, untilStatus, untilUp, useBroker } from './setup.ts'

const rabbit = await useRabbitMq(t)

/** The same address through another port. */
function through(url: string, port: number): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}

async function useOutsider(t: { teardown(fn: () => Promise<void>): void }, topic: string) {
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createConfirmChannel()
  let sent = 0
  return {
    publish: (): string => {
      const text = `outside-${++sent}`
      channel.publish('amq.topic', topic, Buffer.from(text))
      return text
    },
    confirmed: async () => channel.waitForConfirms(),
    queue: async (name: string) => channel.checkQueue(name),
  }
}

await t.test('outsiders lose and double nothing while the inbox is cut again and again', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.stompUrl).port))
  const urls = { ...rabbit, stompUrl: through(rabbit.stompUrl, proxy.port) }
  const { broker, received } = await useBroker(t, urls)
  await untilUp(broker)
  await broker.watch({ kind: 'topic', pattern: 'news' })
  const outsider = await useOutsider(t, 'news')
  const expected: string[] = []
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 200; i++) expected.push(outsider.publish())
    await received.count(expected.length - 100)
    for (let i = 0; i < 200; i++) expected.push(outsider.publish())
    // In the middle of what is under way.
    proxy.cut()
    await outsider.confirmed()
  }
  await received.count(expected.length)
  t.strictSame(received.bodies, expected)
  t.strictSame(received.holes, [])
  t.ok(proxy.accepted > 10, `the link was cut ${proxy.accepted} times`)
  t.comment(broker.counters)
})

await t.test('this node loses and doubles nothing while its publisher is cut again and again', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.amqpUrl).port))
  const { broker: sender } = await useBroker(t, { ...rabbit, amqpUrl: through(rabbit.amqpUrl, proxy.port) })
  const { broker, received } = await useBroker(t, rabbit)
  await broker.watch({ kind: 'topic', pattern: 'own' })
  await untilUp(sender)
  const expected: string[] = []
  const promises: Promise<void>[] = []
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 300; i++) {
      const text = `own-${expected.length}`
      expected.push(text)
      const address = { kind: 'topic', topic: 'own' } as const
      promises.push(
        sender.publish({ address, headers: [], body: bytes(text), persistent: false }, { patient: true }),
      )
    }
    await promises.at(-150)
    proxy.cut()
    await promises.at(-1)
  }
  await Promise.all(promises)
  await received.count(expected.length)
  t.strictSame(received.bodies, expected)
  t.ok(sender.counters.resent > 0, `${sender.counters.resent} sent again`)
  t.comment(sender.counters, broker.counters)
})

/** The name of the only inbox in the virtual host. */
async function inboxName(): Promise<string> {
  const text = await rabbit.ctl('list_queues', '-p', rabbit.vhost, '--silent', 'name')
  const name = text
    .split('\n')
    .find((line) => line.startsWith('stomp-relay.inbox.') && !line.endsWith('.lost'))
  if (name === undefined) throw new Error(`no inbox among ${text}`)
  return name.trim()
}

await t.test('an inbox that overflows while it is cut off is a hole, and the rest arrives', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.stompUrl).port))
  const urls = { ...rabbit, stompUrl: through(rabbit.stompUrl, proxy.port) }
  const { broker, received } = await useBroker(t, urls, { limits: { inboxMessages: 5 } })
  await untilUp(broker)
  await broker.watch({ kind: 'topic', pattern: 'much' })
  const outsider = await useOutsider(t, 'much')
  const inbox = await inboxName()
  outsider.publish()
  await received.count(1)
  proxy.refuse(true)
  await untilStatus(broker, (isUp) => !isUp)
  // RabbitMQ must have seen it too: what it hands to a dead consumer comes back as redelivered.
  await until(async () => (await outsider.queue(inbox)).consumerCount === 0)
  for (let i = 0; i < 20; i++) outsider.publish()
  await outsider.confirmed()
  await received.until(({ holes }) => holes.includes('the inbox overflowed'))
  proxy.refuse(false)
  await received.until(({ bodies }) => bodies.includes('outside-21'))
  t.equal(received.bodies[0], 'outside-1')
  t.strictSame(received.bodies, [...new Set(received.bodies)])
})

await t.test('what overflows among messages under way is a hole too, and nothing comes twice', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.stompUrl).port))
  const urls = { ...rabbit, stompUrl: through(rabbit.stompUrl, proxy.port) }
  const { broker, received } = await useBroker(t, urls, { limits: { inboxMessages: 5 } })
  await untilUp(broker)
  await broker.watch({ kind: 'topic', pattern: 'under-way' })
  const outsider = await useOutsider(t, 'under-way')
  outsider.publish()
  await received.count(1)
  proxy.freeze()
  for (let i = 0; i < 20; i++) outsider.publish()
  await outsider.confirmed()
  // They go back to the queue, which has no room for them.
  proxy.cut()
  proxy.thaw()
  await received.until(({ holes }) => holes.length > 0)
  await untilUp(broker)
  // What is left may all be marked as redelivered, the anchor gone: then none of it can be told from the seen.
  await until(async () => {
    outsider.publish()
    await outsider.confirmed()
    return received.bodies.length > 1
  })
  t.equal(received.bodies[0], 'outside-1')
  t.strictSame(received.bodies, [...new Set(received.bodies)])
})

await t.test('an exchange that somebody deletes is declared and bound again', async (t) => {
  const { broker, received } = await useBroker(t, rabbit)
  await untilUp(broker)
  await broker.watch({ kind: 'private', topic: 'room' })
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createChannel()
  await channel.deleteExchange('stomp-relay.private')
  const message = { address: { kind: 'private', topic: 'room' }, headers: [], persistent: false } as const
  await Promise.allSettled([broker.publish({ ...message, body: bytes('may be refused') }, { patient: true })])
  await received.until(({ holes }) => holes.length > 0)
  await broker.publish({ ...message, body: bytes('after') }, { patient: true })
  await received.until(({ bodies }) => bodies.includes('after'))
  t.strictSame(
    received.bodies.filter((body) => body === 'after'),
    ['after'],
  )
})
