import { connect } from 'amqplib'
import t from 'tap'
import type { ConsumedMessage } from '../../../src/broker/broker.ts'
import { deferred } from '../../../src/lib/deferred.ts'
import { Inbox } from '../../support/inbox.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { useTcpProxy } from '../../support/tcp-proxy.ts'
import { untilUp, useBroker } from './setup.ts'

const rabbit = await useRabbitMq(t)

async function useChannel(t: { teardown(fn: () => Promise<void>): void }) {
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  return connection.createConfirmChannel()
}

await t.test('a rejected message comes again, not before its time, with its properties', async (t) => {
  const { broker } = await useBroker(t, rabbit, { timeouts: { redeliveryMs: 300 } })
  const taken = new Inbox<ConsumedMessage & { at: number }>()
  await broker.consume('user', { prefetch: 3 }, async (message) => {
    taken.push({ ...message, at: performance.now() })
    if (!message.isRedelivered) throw new Error('the store is away')
  })
  await untilUp(broker)
  const channel = await useChannel(t)
  await channel.assertQueue('user', { durable: true })
  const headers = { text: 'a', number: 5, yes: true, 'user-id': 'root', 'x-relay-origin': 'b.1' }
  channel.sendToQueue('user', Buffer.from('{}'), {
    headers,
    contentType: 'application/json',
    userId: 'guest',
  })
  const [first, second] = await taken.atLeast(2)
  t.strictSame(first!.headers, [
    'content-type',
    'application/json',
    'user-id',
    'guest',
    'text',
    'a',
    'number',
    '5',
    'yes',
    'true',
  ])
  t.strictSame([first!.isRedelivered, second!.isRedelivered], [false, true])
  t.ok(second!.at - first!.at >= 290, 'it was held back')
  await broker.close()
  t.match(await channel.checkQueue('user'), { messageCount: 0 })
})

await t.test('what is under way when the link breaks comes again on the next link', async (t) => {
  const target = new URL(rabbit.amqpUrl)
  const proxy = await useTcpProxy(t, Number(target.port))
  target.port = String(proxy.port)
  const { broker } = await useBroker(t, { ...rabbit, amqpUrl: target.href })
  await untilUp(broker)
  const taken = new Inbox<ConsumedMessage>()
  const gate = deferred()
  await broker.consume('cut', { prefetch: 1 }, async (message) => {
    taken.push(message)
    await gate.promise
  })
  const channel = await useChannel(t)
  await channel.assertQueue('cut', { durable: true })
  channel.sendToQueue('cut', Buffer.from('x'))
  await taken.atLeast(1)
  proxy.cut()
  gate.resolve()
  const [, again] = await taken.atLeast(2)
  t.ok(again!.isRedelivered)
})

await t.test(
  'a queue that is deleted is declared again, one of another shape is taken as it is',
  async (t) => {
    const { broker } = await useBroker(t, rabbit)
    const channel = await useChannel(t)
    await channel.assertQueue('shaped', { durable: true, arguments: { 'x-max-length': 5 } })
    const taken = new Inbox<string>()
    const keep = async ({ body }: ConsumedMessage): Promise<void> =>
      taken.push(new TextDecoder().decode(body))
    await broker.consume('shaped', { prefetch: 1 }, keep)
    channel.sendToQueue('shaped', Buffer.from('1'))
    t.equal(await taken.at(0), '1')
    await channel.deleteQueue('shaped')
    await broker.publish({
      address: { kind: 'queue', queue: 'other' },
      headers: [],
      body: Buffer.from('x'),
      persistent: false,
    })
    channel.on('return', () => channel.publish('', 'shaped', Buffer.from('2'), { mandatory: true }))
    channel.publish('', 'shaped', Buffer.from('2'), { mandatory: true })
    t.equal(await taken.at(1), '2')
  },
)
