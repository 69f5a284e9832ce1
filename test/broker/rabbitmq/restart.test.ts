import t from 'tap'
import { MessageError, SessionError } from '../../../src/errors.ts'
import { useOwnRabbitMq } from '../../support/rabbitmq.ts'
import { Inbox } from '../../support/inbox.ts'
import { bytes, untilStatus, untilUp, useBroker } from './setup.ts'

t.setTimeout(120_000)

const rabbit = await useOwnRabbitMq(t)
const timeouts = { publishMs: 60_000, answerMs: 60_000 }

function topic(name: string, body: string) {
  return {
    address: { kind: 'topic', topic: name },
    headers: [],
    body: bytes(body),
    persistent: false,
  } as const
}

await t.test(
  'a broker that is killed and comes back finds watches, intake and waiting messages',
  async (t) => {
    const { broker, received } = await useBroker(t, rabbit, { timeouts })
    await untilUp(broker)
    await broker.watch({ kind: 'topic', pattern: 'a.#' })
    await broker.watch({ kind: 'user', user: 'ann' })
    const taken = new Inbox<string>()
    await broker.consume('orders', { prefetch: 5 }, async ({ body }) =>
      taken.push(new TextDecoder().decode(body)),
    )
    const ends = new Inbox<Error>()
    const session = await broker.openSession(
      { name: 'ann' },
      { onMessage: () => undefined, onCancelled: () => undefined, onEnd: ends.push },
    )
    await broker.publish(topic('a.b', 'before'))
    await received.count(1)

    await rabbit.node.kill()
    await untilStatus(broker, (isUp) => !isUp)
    t.match(broker.status().detail, /127\.0\.0\.1/)
    t.notMatch(broker.status().detail, /guest/)
    t.type(await ends.at(0), SessionError)
    await t.rejects(
      session.send({ destination: '/queue/x', headers: [], body: bytes('') }, { confirm: true }),
      SessionError,
    )
    await t.rejects(
      broker.openSession({ name: 'ann' }, { onMessage() {}, onCancelled() {}, onEnd() {} }),
      MessageError,
    )
    await t.rejects(broker.publish(topic('a.b', 'impatient')), { code: 'broker-unavailable' })
    const patient = broker.publish(topic('a.b', 'patient'), { patient: true })
    const queued = broker.publish(
      { ...topic('', 'queued'), address: { kind: 'queue', queue: 'orders' } },
      { patient: true },
    )
    const watching = broker.watch({ kind: 'private', topic: 'room' })

    await rabbit.node.start()
    const back = performance.now()
    await Promise.all([patient, queued, watching])
    await untilUp(broker)
    await received.until(({ holes }) => holes.length > 0)
    t.equal(await taken.at(0), 'queued')
    // The patient one may have gone out before its binding was back: that is what the hole says.
    await broker.publish(topic('a.c', 'after'))
    await broker.publish({ ...topic('', 'private'), address: { kind: 'private', topic: 'room' } })
    await broker.publish({
      ...topic('', 'to ann'),
      address: { kind: 'user', user: 'ann', destination: '/queue/x' },
    })
    await received.until(({ bodies }) => bodies.includes('to ann'))
    t.ok(performance.now() - back < 10_000, `${Math.round(performance.now() - back)} ms`)
    t.strictSame(
      received.bodies.filter((body) => body !== 'patient'),
      ['before', 'after', 'private', 'to ann'],
    )
    await broker.close()
    t.notMatch(await rabbit.ctl('list_queues', 'name'), /stomp-relay/, 'no queue stays behind')
  },
)

await t.test('an inbox that somebody deletes gets another name, and the hub hears of a hole', async (t) => {
  const { broker, received } = await useBroker(t, rabbit)
  await untilUp(broker)
  await broker.watch({ kind: 'topic', pattern: 'a' })
  const names = (await rabbit.ctl('list_queues', 'name')).split('\n')
  const inbox = names.find((name) => /inbox.*\d$/.test(name)) ?? ''
  await rabbit.ctl('delete_queue', inbox)
  await received.until(({ holes }) => holes.length > 0)
  await untilUp(broker)
  await broker.publish(topic('a', 'after'))
  await received.count(1)
  t.strictSame(received.bodies, ['after'])
  const queues = await rabbit.ctl('list_queues', 'name')
  t.notOk(queues.split('\n').includes(inbox))
  t.match(queues, /inbox/)
})

await t.test('closing while the broker is away is quick and leaves nothing', async (t) => {
  const { broker } = await useBroker(t, rabbit)
  await untilUp(broker)
  await rabbit.node.kill()
  await untilStatus(broker, (isUp) => !isUp)
  const waiting = broker.publish(topic('a', 'x'), { patient: true })
  const startedAt = performance.now()
  await Promise.all([broker.close(), t.rejects(waiting, { code: 'broker-unavailable' })])
  t.ok(performance.now() - startedAt < 3_000)
  await broker.close()
})
