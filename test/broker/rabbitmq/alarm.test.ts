import { pino } from 'pino'
import t, { type Test } from 'tap'
import { MessageError, SessionError } from '../../../src/errors.ts'
import { useOwnRabbitMq } from '../../support/rabbitmq.ts'
import { Inbox } from '../../support/inbox.ts'
import { until } from '../../support/until.ts'
import { bytes, untilUp, useBroker, type StartedBroker } from './setup.ts'

// Alarms are set by hand here, on one node. How RabbitMQ comes to them, and what else suffers on a machine
// that really is short of memory, these tests do not show; `test/relay/alarm.test.ts` lowers the watermark.

t.setTimeout(180_000)

const rabbit = await useOwnRabbitMq(t)

type Source = 'memory' | 'disk'

async function setAlarm(source: Source = 'memory'): Promise<void> {
  await rabbit.ctl('eval', `rabbit_alarm:set_alarm({{resource_limit, ${source}, node()}, []}).`)
}

async function clearAlarm(source: Source = 'memory'): Promise<void> {
  await rabbit.ctl('eval', `rabbit_alarm:clear_alarm({resource_limit, ${source}, node()}).`)
}

/** A node whose RabbitMQ is under an alarm, which ends with the test at the latest. */
async function underAlarm(t: Test, options: Parameters<typeof useBroker>[2] = {}): Promise<StartedBroker> {
  const started = await useBroker(t, rabbit, {
    ...options,
    timeouts: { publishMs: 120_000, answerMs: 120_000, probeMs: 100, ...options.timeouts },
  })
  await untilUp(started.broker)
  await alarmed(t, started)
  return started
}

async function alarmed(t: Test, { broker }: StartedBroker): Promise<void> {
  t.teardown(() => clearAlarm())
  await setAlarm()
  await until(() => broker.status().alarm !== undefined)
}

function topic(name: string, body: string) {
  return {
    address: { kind: 'topic', topic: name },
    headers: [],
    body: bytes(body),
    persistent: false,
  } as const
}

function text({ body }: { body: Uint8Array }): string {
  return new TextDecoder().decode(body)
}

await t.test('a node with nothing to publish learns of the alarm and of its end', async (t) => {
  const events: string[] = []
  const log = pino(
    { level: 'info' },
    { write: (line) => void events.push((JSON.parse(line) as { event: string }).event) },
  )
  const started = await useBroker(t, rabbit, { log, timeouts: { probeMs: 100 } })
  const { broker } = started
  await untilUp(broker)
  const states: string[] = []
  broker.onStatus(({ isUp, alarm }) => states.push(`${String(isUp)} ${alarm ?? ''}`))
  await alarmed(t, started)
  t.match(broker.status(), {
    isUp: false,
    alarm: 'low on memory',
    detail: /blocked by an alarm.*low on memory/,
  })
  await clearAlarm()
  await untilUp(broker)
  t.notOk('alarm' in broker.status())
  t.strictSame(states, ['false low on memory', 'true '])
  t.match(broker.counters, { alarms: 1, reconnects: 0, holes: 0 })
  t.strictSame(
    events.filter((event) => event.startsWith('broker-alarm')),
    ['broker-alarm', 'broker-alarm-over'],
  )
})

await t.test('two alarms at once are over when both are', async (t) => {
  const started = await useBroker(t, rabbit, { timeouts: { probeMs: 100 } })
  const { broker, received } = started
  await broker.watch({ kind: 'topic', pattern: 'two' })
  await untilUp(broker)
  await alarmed(t, started)
  t.teardown(() => clearAlarm('disk'))
  await setAlarm('disk')
  await clearAlarm('memory')
  const published = broker.publish(topic('two', 'x'), { patient: true }).catch((error: unknown) => error)
  await clearAlarm('disk')
  t.equal(await published, undefined)
  await untilUp(broker)
  await received.count(1)
})

await t.test('what is published meanwhile waits, and arrives in order when the alarm is over', async (t) => {
  const { broker, received } = await underAlarm(t)
  await broker.watch({ kind: 'topic', pattern: 'a' })
  t.pass('a watch needs no publisher')
  await t.rejects(broker.publish(topic('a', 'impatient')), { code: 'broker-unavailable' })
  const taken = new Inbox<string>()
  await broker.consume('orders', { prefetch: 5 }, async (message) => taken.push(text(message)))
  const numbers = Array.from({ length: 500 }, (_, i) => String(i))
  const published = numbers.map((body) => broker.publish(topic('a', body), { patient: true }))
  const queued = broker.publish(
    { ...topic('', 'queued'), address: { kind: 'queue', queue: 'orders' } },
    { patient: true },
  )
  await clearAlarm()
  await Promise.all([...published, queued])
  await received.count(numbers.length)
  t.strictSame(received.bodies, numbers)
  t.equal(await taken.at(0), 'queued')
  t.match(broker.counters, { resent: 0, reconnects: 0, holes: 0 })
})

await t.test('what was given up during the alarm is not sent after it', async (t) => {
  const { broker, received } = await underAlarm(t, {
    timeouts: { publishMs: 300 },
    limits: { pendingMessages: 10 },
  })
  await broker.watch({ kind: 'topic', pattern: 'b' })
  const waiting = Array.from({ length: 10 }, () => broker.publish(topic('b', 'late'), { patient: true }))
  await t.rejects(broker.publish(topic('b', 'one more'), { patient: true }), { code: 'too-many-pending' })
  for (const each of waiting) await t.rejects(each, { code: 'broker-unavailable' })
  await clearAlarm()
  await untilUp(broker)
  await broker.publish(topic('b', 'after'), { patient: true })
  await received.until(({ bodies }) => bodies.includes('after'))
  t.strictSame(received.bodies, ['after'])
})

await t.test('a long alarm ends no link, and what others get through meanwhile arrives', async (t) => {
  const { broker, received } = await useBroker(t, rabbit, {
    timeouts: { probeMs: 600_000, fenceMs: 10, stallMs: 300, publishMs: 120_000 },
  })
  await broker.watch({ kind: 'topic', pattern: 'c' })
  await untilUp(broker)
  t.teardown(() => clearAlarm())
  await setAlarm()
  // RabbitMQ takes one SEND of each connection. The fence that follows it is what tells the node.
  const session = await broker.openSession({ name: 'ann' }, { onMessage() {}, onCancelled() {}, onEnd() {} })
  await session.send({ destination: '/topic/c', headers: [], body: bytes('1') }, { confirm: true })
  await received.count(1)
  await until(() => broker.status().alarm !== undefined)
  const second = broker.publish(topic('c', '2'), { patient: true })
  // As long as several stalls: a call of the command line takes about half a second.
  for (let i = 0; i < 3; i += 1) await rabbit.ctl('list_queues', 'name')
  await clearAlarm()
  await second
  await received.count(2)
  t.strictSame(received.bodies, ['1', '2'])
  t.match(broker.counters, { reconnects: 0, holes: 0, alarms: 1 })
})

await t.test('a node that is stopped under an alarm ends within a moment', async (t) => {
  const { broker } = await underAlarm(t)
  const waiting = broker.publish(topic('d', 'x'), { patient: true })
  const session = await broker.openSession({ name: 'ann' }, { onMessage() {}, onCancelled() {}, onEnd() {} })
  const sending = session.send({ destination: '/queue/d', headers: [], body: bytes('x') }, { confirm: true })
  const startedAt = performance.now()
  const refused = Promise.all([
    t.rejects(waiting, { code: 'broker-unavailable' }),
    t.rejects(sending, SessionError),
  ])
  await broker.close()
  await refused
  const tookMs = performance.now() - startedAt
  t.ok(tookMs < 10_000, `${tookMs.toFixed(0)} ms`)
})

await t.test('an own session consumes and acknowledges on; its SENDs wait for the end', async (t) => {
  const { broker } = await useBroker(t, rabbit, {
    timeouts: { publishMs: 120_000, answerMs: 120_000, probeMs: 100 },
  })
  await untilUp(broker)
  const got = new Inbox<string>()
  const acks: Promise<void>[] = []
  const session = await broker.openSession(
    { name: 'ann' },
    {
      onMessage: (message) => {
        got.push(text(message))
        acks.push(session.ack(message.ackId ?? '', {}))
      },
      onCancelled: () => undefined,
      onEnd: (error) => t.fail(error),
    },
  )
  const send = (body: string, confirm = true): Promise<void> =>
    session.send({ destination: '/queue/work', headers: [], body: bytes(body) }, { confirm })
  // It has published before: RabbitMQ will stop reading it at its next SEND.
  for (const body of ['1', '2', '3']) await send(body)
  await alarmed(t, { broker } as StartedBroker)
  const askedAt = performance.now()
  await t.rejects(send('impatient', false), { code: 'broker-unavailable' })
  t.ok(performance.now() - askedAt < 60_000, 'at once, not after the 120 s that a patient one waits')
  await session.subscribe({
    id: 's',
    destination: '/queue/work',
    ack: 'client-individual',
    headers: ['prefetch-count', '1'],
  })
  t.equal(await got.at(2), '3', 'each came because the one before it was acknowledged')
  await Promise.all(acks)
  const sent = [send('4'), send('5')]
  await clearAlarm()
  await Promise.all(sent)
  t.equal(await got.at(4), '5')
  await session.close()
})

await t.test('a SEND of an own session that waits too long is refused, and the session lives', async (t) => {
  const { broker } = await underAlarm(t, { timeouts: { answerMs: 1_000 } })
  const session = await broker.openSession(
    { name: 'ann' },
    { onMessage() {}, onCancelled() {}, onEnd: (error) => t.fail(error) },
  )
  const refused = await session
    .send({ destination: '/queue/late', headers: [], body: bytes('late') }, { confirm: true })
    .catch((error: unknown) => error)
  t.type(refused, MessageError)
  t.match(refused, { code: 'broker-unavailable', message: /takes no messages now: low on memory/ })
  await session.subscribe({ id: 's', destination: '/queue/late', ack: 'auto', headers: [] })
  await session.close()
})

await t.test('a transaction that cannot be whole ends the session: nothing of it is committed', async (t) => {
  const { broker } = await underAlarm(t, { timeouts: { answerMs: 1_000 } })
  const ends = new Inbox<Error>()
  const session = await broker.openSession(
    { name: 'ann' },
    { onMessage() {}, onCancelled() {}, onEnd: ends.push.bind(ends) },
  )
  await session.begin('tx')
  const send = session.send(
    { destination: '/queue/half', headers: [], body: bytes('x'), transaction: 'tx' },
    { confirm: false },
  )
  const commit = session.commit('tx')
  const isOver = { name: 'SessionError', code: 'broker-unavailable', message: /low on memory/ }
  await Promise.all([t.rejects(send, isOver), t.rejects(commit, isOver)])
  t.match(await ends.at(0), isOver)
})

await t.test('a session that RabbitMQ blocked before the node knew is ended within its bound', async (t) => {
  const { broker } = await useBroker(t, rabbit, { timeouts: { answerMs: 1_000, probeMs: 600_000 } })
  await untilUp(broker)
  const ends = new Inbox<Error>()
  const session = await broker.openSession(
    { name: 'ann' },
    { onMessage() {}, onCancelled() {}, onEnd: ends.push.bind(ends) },
  )
  t.teardown(() => clearAlarm())
  await setAlarm()
  const send = (): Promise<void> =>
    session.send({ destination: '/queue/blocked', headers: [], body: bytes('x') }, { confirm: true })
  await send()
  t.pass('RabbitMQ takes one, and reads nothing more')
  await t.rejects(send(), { name: 'SessionError', code: 'broker-unavailable' })
  t.type(await ends.at(0), SessionError)
})
