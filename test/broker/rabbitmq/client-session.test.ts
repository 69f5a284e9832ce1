import { connect } from 'amqplib'
import t from 'tap'
import { MessageError, SessionError } from '../../../src/errors.ts'
import type { BrokerSession, BrokerSessionSink, SessionMessage } from '../../../src/broker/broker.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { Inbox } from '../../support/inbox.ts'
import { until } from '../../support/until.ts'
import { bytes, untilUp, useBroker } from './setup.ts'

const rabbit = await useRabbitMq(t)
const { broker } = await useBroker(t, rabbit)
await untilUp(broker)

class Sink implements BrokerSessionSink {
  readonly messages = new Inbox<SessionMessage>()
  readonly cancelled = new Inbox<string>()
  readonly ends = new Inbox<Error>()
  onMessage(message: SessionMessage): void {
    this.messages.push(message)
  }
  onCancelled(subscription: string): void {
    this.cancelled.push(subscription)
  }
  onEnd(error: Error): void {
    this.ends.push(error)
  }
}

async function useSession(
  t: { teardown(fn: () => Promise<void>): void },
  name = 'ann',
): Promise<{ session: BrokerSession; sink: Sink }> {
  const sink = new Sink()
  const session = await broker.openSession({ name }, sink)
  t.teardown(async () => session.close())
  return { session, sink }
}

function text(message: SessionMessage | undefined): string {
  return new TextDecoder().decode(message?.body)
}

async function sendAll(session: BrokerSession, destination: string, bodies: string[]): Promise<void> {
  for (const body of bodies) {
    await session.send({ destination, headers: [], body: bytes(body) }, { confirm: true })
  }
}

await t.test('an acknowledgement in client mode covers its own subscription only', async (t) => {
  const { session, sink } = await useSession(t)
  await session.subscribe({ id: 'a', destination: '/queue/acks-a', ack: 'client', headers: [] })
  await session.subscribe({ id: 'b', destination: '/queue/acks-b', ack: 'client', headers: [] })
  await sendAll(session, '/queue/acks-a', ['a1'])
  await sink.messages.atLeast(1)
  await sendAll(session, '/queue/acks-b', ['b1', 'b2'])
  const [, , b2] = await sink.messages.atLeast(3)
  await session.ack(b2!.ackId!, {})
  await session.close()

  const { session: again, sink: rest } = await useSession(t)
  await again.subscribe({ id: 'a', destination: '/queue/acks-a', ack: 'client', headers: [] })
  await again.subscribe({ id: 'b', destination: '/queue/acks-b', ack: 'client', headers: [] })
  await sendAll(again, '/queue/acks-b', ['b3'])
  const messages = await rest.messages.atLeast(2)
  t.strictSame(messages.map(text).toSorted(), ['a1', 'b3'])
  const a1 = messages.find((message) => text(message) === 'a1')!
  t.ok(a1.headers.includes('redelivered'))
  t.strictSame(a1.destination, '/queue/acks-a')
  for (const { ackId } of messages) await again.ack(ackId!, {})
  await t.rejects(again.ack(a1.ackId!, {}), { code: 'not-found' })
})

await t.test('a soft error refuses one frame and the session lives', async (t) => {
  const { session, sink } = await useSession(t)
  const refused = session.subscribe({ id: 'x', destination: '/topic/a/b', ack: 'auto', headers: [] })
  await t.rejects(refused, { code: 'invalid-destination' })
  await t.rejects(refused, MessageError)
  await t.rejects(sendAll(session, '/nowhere/x', ['x']), { code: 'unknown-destination' })
  await t.rejects(session.unsubscribe('x', []), { code: 'unknown-subscription' })
  await t.rejects(session.commit('none'), { code: 'unknown-transaction' })
  await session.subscribe({ id: 'x', destination: '/queue/soft', ack: 'auto', headers: [] })
  await sendAll(session, '/queue/soft', ['still here'])
  t.equal(text(await sink.messages.at(0)), 'still here')
  t.equal(sink.ends.items.length, 0)
})

await t.test('a fatal error ends the session, its receipt after it notwithstanding', async (t) => {
  const { session, sink } = await useSession(t)
  const waiting = session.subscribe({ id: 'x', destination: '/exchange/missing/k', ack: 'auto', headers: [] })
  await t.rejects(waiting, SessionError)
  t.match(sink.ends.items, [{ code: 'broker-refused', message: /not_found/ }])
  t.notMatch(sink.ends.items[0]?.message, /vhost|guest/)
  await t.rejects(sendAll(session, '/queue/soft', ['x']), SessionError)
})

await t.test('prefetch-count holds for its own subscription and not for the next', async (t) => {
  const { session, sink } = await useSession(t)
  await sendAll(session, '/queue/few', ['1', '2', '3'])
  await sendAll(session, '/queue/many', ['4', '5', '6'])
  const headers = ['prefetch-count', '1']
  await session.subscribe({ id: 'few', destination: '/queue/few', ack: 'client-individual', headers })
  await session.subscribe({ id: 'many', destination: '/queue/many', ack: 'client-individual', headers: [] })
  const messages = await sink.messages.atLeast(4)
  t.strictSame(messages.map(({ subscription }) => subscription).toSorted(), ['few', 'many', 'many', 'many'])
  const first = messages.find(({ subscription }) => subscription === 'few')
  await session.nack(first!.ackId!, { requeue: false })
  t.equal(text(await sink.messages.at(4)), '2')
})

await t.test('a transaction takes effect at COMMIT and its acks are undone at ABORT', async (t) => {
  const { session, sink } = await useSession(t)
  await session.subscribe({ id: 'tx', destination: '/queue/tx', ack: 'client-individual', headers: [] })
  await sendAll(session, '/queue/tx', ['before'])
  const before = await sink.messages.at(0)
  await session.begin('t1')
  await t.rejects(session.begin('t1'), { code: 'conflict' })
  await session.ack(before.ackId!, { transaction: 't1' })
  await session.send(
    { destination: '/queue/tx', headers: [], body: bytes('dropped'), transaction: 't1' },
    { confirm: false },
  )
  await session.abort('t1')
  await session.begin('t2')
  await session.ack(before.ackId!, { transaction: 't2' })
  await session.send(
    { destination: '/queue/tx', headers: [], body: bytes('kept'), transaction: 't2' },
    { confirm: true },
  )
  await session.commit('t2')
  t.equal(text(await sink.messages.at(1)), 'kept')
})

await t.test(
  'equal ids of two users are two durable subscriptions, which outlive their sessions',
  async (t) => {
    const headers = ['durable', 'true', 'auto-delete', 'false']
    const subscription = { id: 'sub-0', destination: '/topic/durable', ack: 'auto', headers } as const
    for (const name of ['ann', 'bob']) {
      const { session } = await useSession(t, name)
      await session.subscribe(subscription)
      await session.close()
    }
    const { session: sender } = await useSession(t)
    await sendAll(sender, '/topic/durable', ['kept'])
    for (const name of ['ann', 'bob']) {
      const { session, sink } = await useSession(t, name)
      await session.subscribe(subscription)
      t.equal(text(await sink.messages.at(0)), 'kept', name)
      await session.unsubscribe('sub-0', headers)
    }
    t.notMatch(await rabbit.ctl('list_queues', '-p', rabbit.vhost, 'name'), /stomp-subscription/)
  },
)

await t.test('a reply to a temporary queue arrives under its own name', async (t) => {
  const { session, sink } = await useSession(t)
  const { session: other, sink: otherSink } = await useSession(t, 'bob')
  await other.subscribe({ id: 'ask', destination: '/queue/ask', ack: 'auto', headers: [] })
  const headers = ['reply-to', '/temp-queue/mine']
  await session.send({ destination: '/queue/ask', headers, body: bytes('?') }, { confirm: true })
  const asked = await otherSink.messages.at(0)
  const at = asked.headers.indexOf('reply-to')
  await sendAll(other, asked.headers[at + 1]!, ['!'])
  const answer = await sink.messages.at(0)
  t.equal(text(answer), '!')
  t.equal(answer.subscription, '/temp-queue/mine')
})

await t.test('a deleted queue cancels its subscription and leaves the session', async (t) => {
  const { session, sink } = await useSession(t)
  await session.subscribe({ id: 'gone', destination: '/queue/gone', ack: 'auto', headers: [] })
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createChannel()
  await channel.deleteQueue('gone')
  t.equal(await sink.cancelled.at(0), 'gone')
  await session.subscribe({ id: 'gone', destination: '/queue/gone-2', ack: 'auto', headers: [] })
})

await t.test('names with slashes and letters beyond ASCII come back as the client wrote them', async (t) => {
  const { session, sink } = await useSession(t)
  await session.subscribe({ id: 'odd @@ id', destination: '/topic/ä.%2Fb', ack: 'auto', headers: [] })
  await sendAll(session, '/topic/ä.%2Fb', ['x'])
  const message = await sink.messages.at(0)
  t.match(message, { destination: '/topic/ä.%2Fb', subscription: 'odd @@ id' })
})

await t.test('no relay header passes from a client, whatever the session lets through', async (t) => {
  const { session } = await useSession(t)
  const watcher = await useBroker(t, rabbit)
  await watcher.broker.watch({ kind: 'topic', pattern: 'forged' })
  const headers = ['user-id', 'guest', 'event-id', 'e:1', 'x-relay-origin', 'boot.1', 'own', 'kept']
  await session.send({ destination: '/topic/forged', headers, body: bytes('x') }, { confirm: true })
  await watcher.received.count(1)
  t.strictSame(watcher.received.deliveries[0]?.headers, ['own', 'kept'])
  t.equal(watcher.received.deliveries[0]?.eventId, undefined)
})

await t.test('a queue that an operator deleted is declared again for the next SEND', async (t) => {
  const own = await useBroker(t, rabbit, { timeouts: { queueBelievedMs: 0 } })
  await untilUp(own.broker)
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createChannel()
  const sink = new Sink()
  const session = await own.broker.openSession({ name: 'ann' }, sink)
  t.teardown(async () => session.close())
  // Arguments count as well: declared otherwise, RabbitMQ would end whoever declares it rightly.
  const headers = ['x-max-length', '5', 'x-dead-letter-exchange', 'amq.topic']
  const send = async (body: string): Promise<void> =>
    session.send({ destination: '/queue/deleted', headers, body: bytes(body) }, { confirm: true })
  await send('deleted')
  for (const round of ['one', 'two']) {
    await channel.deleteQueue('deleted')
    await send(round)
    const got = await channel.get('deleted', { noAck: true })
    t.equal(got === false ? got : got.content.toString(), round)
  }
  const { session: other } = await useSession(t, 'bob')
  await other.subscribe({ id: 'q', destination: '/queue/deleted', ack: 'auto', headers })
  t.equal(sink.ends.items.length, 0)
})

await t.test('queues that go at once are all declared again', async (t) => {
  const own = await useBroker(t, rabbit, { timeouts: { queueBelievedMs: 0 } })
  await untilUp(own.broker)
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const channel = await connection.createChannel()
  const queues = Array.from({ length: 20 }, (_, i) => `at-once-${i}`)
  const sessions = await Promise.all(
    queues.map(async () => own.broker.openSession({ name: 'ann' }, new Sink())),
  )
  t.teardown(async () => void (await Promise.all(sessions.map(async (session) => session.close()))))
  const sendEach = async (body: string): Promise<unknown> =>
    Promise.all(queues.map(async (queue, i) => sendAll(sessions[i]!, `/queue/${queue}`, [body])))
  await sendEach('deleted')
  for (const queue of queues) await channel.deleteQueue(queue)
  await sendEach('kept')
  for (const queue of queues) t.ok(await channel.get(queue, { noAck: true }), queue)
})

await t.test('a session that sends all the time looks after its queue, too', async (t) => {
  const own = await useBroker(t, rabbit, { timeouts: { queueBelievedMs: 1_000 } })
  await untilUp(own.broker)
  const session = await own.broker.openSession({ name: 'ann' }, new Sink())
  t.teardown(async () => session.close())
  await sendAll(session, '/queue/busy', ['deleted'])
  await rabbit.ctl('delete_queue', '-p', rabbit.vhost, 'busy')
  const connection = await connect(rabbit.amqpUrl)
  t.teardown(async () => connection.close())
  const exists = async (): Promise<boolean> => {
    await sendAll(session, '/queue/busy', ['again'])
    const channel = await connection.createChannel()
    channel.on('error', () => undefined)
    return channel.checkQueue('busy').then(
      async () => channel.close().then(() => true),
      () => false,
    )
  }
  await until(exists)
  const { session: reader, sink } = await useSession(t, 'bob')
  await reader.subscribe({ id: 'q', destination: '/queue/busy', ack: 'auto', headers: [] })
  t.equal(text(await sink.messages.at(0)), 'again')
})

await t.test('a SEND waits for its turn behind one whose queue is looked after', async (t) => {
  const own = await useBroker(t, rabbit, { timeouts: { queueBelievedMs: 0 } })
  await untilUp(own.broker)
  const sink = new Sink()
  const session = await own.broker.openSession({ name: 'ann' }, sink)
  t.teardown(async () => session.close())
  const sent = Array.from({ length: 60 }, (_, i) => `${i}`)
  await session.subscribe({ id: 'q', destination: '/queue/in-turn', ack: 'auto', headers: [] })
  await Promise.all(
    sent.map(async (body, i) => {
      // The second name of the queue needs no looking after, and would be quicker.
      const destination = i % 2 === 0 ? '/queue/in-turn' : '/amq/queue/in-turn'
      await session.send({ destination, headers: [], body: bytes(body) }, { confirm: i % 3 === 0 })
    }),
  )
  t.same((await sink.messages.atLeast(sent.length)).map(text), sent)
})
