import { setImmediate as turn } from 'node:timers/promises'
import process from 'node:process'
import t from 'tap'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { useTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'
import { bytes, untilStatus, untilUp, useBroker } from './setup.ts'

// These show what a silent or refusing network does; not what a hung RabbitMQ does that still answers TCP
// from its own process, nor packet loss.
const rabbit = await useRabbitMq(t)

function through(url: string, ...ports: number[]): string {
  return url.replace(/127\.0\.0\.1:\d+/, ports.map((port) => `127.0.0.1:${port}`).join(','))
}

function topic(name: string, body: string) {
  return {
    address: { kind: 'topic', topic: name },
    headers: [],
    body: bytes(body),
    persistent: false,
  } as const
}

await t.test(
  'the next host serves when the first refuses, and when it accepts and never answers',
  async (t) => {
    const stomp = Number(new URL(rabbit.stompUrl).port)
    const amqp = Number(new URL(rabbit.amqpUrl).port)
    const silent = await useTcpProxy(t, stomp)
    silent.freeze()
    const refusing = await useTcpProxy(t, stomp)
    refusing.refuse(true)
    const urls = {
      stompUrl: through(rabbit.stompUrl, refusing.port, silent.port, stomp),
      amqpUrl: through(rabbit.amqpUrl, refusing.port, silent.port, amqp),
    }
    const { broker, received } = await useBroker(t, urls, { timeouts: { connectMs: 300 } })
    await broker.watch({ kind: 'topic', pattern: 'a' })
    await untilUp(broker)
    await broker.publish(topic('a', 'x'))
    await received.count(1)
    const session = await broker.openSession(
      { name: 'ann' },
      { onMessage() {}, onCancelled() {}, onEnd() {} },
    )
    await session.send({ destination: '/topic/a', headers: [], body: bytes('y') }, { confirm: true })
    await received.count(2)
    t.match(
      broker.status().detail,
      new RegExp(`connected to 127.0.0.1:${amqp}.*connected to 127.0.0.1:${stomp}`),
    )
  },
)

await t.test('a session begins with the host that the node has found, not with one found dead', async (t) => {
  const stomp = Number(new URL(rabbit.stompUrl).port)
  const dead = await useTcpProxy(t, stomp)
  dead.refuse(true)
  const urls = { ...rabbit, stompUrl: through(rabbit.stompUrl, dead.port, stomp) }
  // Who waited for the dead one would wait in vain.
  const { broker } = await useBroker(t, urls, { timeouts: { connectMs: 600_000, answerMs: 30_000 } })
  await untilUp(broker)
  dead.freeze()
  dead.refuse(false)
  const sink = { onMessage() {}, onCancelled() {}, onEnd() {} }
  const session = await broker.openSession({ name: 'ann' }, sink)
  await session.send({ destination: '/topic/a', headers: [], body: bytes('y') }, { confirm: true })
  t.equal(dead.accepted, 0)
})

await t.test('a link that falls silent is found by its heart-beats, and nothing is lost', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.stompUrl).port))
  const urls = { ...rabbit, stompUrl: through(rabbit.stompUrl, proxy.port) }
  const { broker, received } = await useBroker(t, urls, { timeouts: { heartBeatMs: 1_000 } })
  await broker.watch({ kind: 'topic', pattern: 'b' })
  await untilUp(broker)
  await broker.publish(topic('b', '1'))
  await received.count(1)
  proxy.freeze()
  for (const body of ['2', '3']) await broker.publish(topic('b', body))
  await untilStatus(broker, (isUp) => !isUp)
  proxy.thaw()
  await untilUp(broker)
  await received.count(3)
  t.strictSame(received.bodies, ['1', '2', '3'])
})

await t.test('a link that broke while it waited for its queue is not used later', async (t) => {
  const [stomp, amqp] = await Promise.all(
    [rabbit.stompUrl, rabbit.amqpUrl].map((url) => useTcpProxy(t, Number(new URL(url).port))),
  )
  const urls = {
    stompUrl: through(rabbit.stompUrl, stomp!.port),
    amqpUrl: through(rabbit.amqpUrl, amqp!.port),
  }
  amqp!.refuse(true)
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  const { broker } = await useBroker(t, urls, { timeouts: { answerMs: 3_600_000 } })
  for (let i = 1; i <= 3; i += 1) {
    await until(() => stomp!.answered >= i)
    for (let j = 0; j < 20; j += 1) await turn() // CONNECTED is on its way
    stomp!.cut()
  }
  stomp!.refuse(true)
  await broker.close()
  await until(() => timers() <= before) // nobody waits for an answer over it
})

await t.test('a session whose link falls silent ends, and its frame is not left waiting', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.stompUrl).port))
  const urls = { ...rabbit, stompUrl: through(rabbit.stompUrl, proxy.port) }
  const { broker } = await useBroker(t, urls, { timeouts: { answerMs: 500 } })
  const ends: Error[] = []
  const sink = { onMessage() {}, onCancelled() {}, onEnd: (error: Error) => ends.push(error) }
  const session = await broker.openSession({ name: 'ann' }, sink)
  proxy.freeze()
  const sends = ['1', '2'].map(async (body) =>
    session.send({ destination: '/queue/silent', headers: [], body: bytes(body) }, { confirm: true }),
  )
  for (const { status } of await Promise.allSettled(sends)) t.equal(status, 'rejected')
  t.match(ends, [{ code: 'broker-unavailable' }])
  await t.rejects(broker.openSession({ name: 'bob' }, sink), { code: 'broker-unavailable' })
})

await t.test('calls are bounded while the broker was never there', async (t) => {
  const nowhere = await useTcpProxy(t, 1)
  nowhere.refuse(true)
  const urls = {
    stompUrl: through(rabbit.stompUrl, nowhere.port),
    amqpUrl: through(rabbit.amqpUrl, nowhere.port),
  }
  const timeouts = { publishMs: 200, answerMs: 200 }
  const { broker } = await useBroker(t, urls, { timeouts })
  const unavailable = { code: 'broker-unavailable' }
  await t.rejects(broker.watch({ kind: 'topic', pattern: 'a' }), unavailable)
  await t.rejects(broker.publish(topic('a', 'x')), unavailable)
  await t.rejects(broker.publish(topic('a', 'x'), { patient: true }), unavailable)
  await t.rejects(
    broker.openSession({ name: 'a' }, { onMessage() {}, onCancelled() {}, onEnd() {} }),
    unavailable,
  )
  const consumer = await broker.consume('q', { prefetch: 1 }, async () => undefined)
  t.notOk(broker.status().isUp)
  t.notMatch(broker.status().detail, /guest/)
  await consumer.close()
  await broker.close()
  await t.rejects(broker.publish(topic('a', 'x'), { patient: true }), unavailable)
})

await t.test('wrong credentials are no crash, and the detail names no password', async (t) => {
  const wrong = {
    stompUrl: rabbit.stompUrl.replace(':guest@', ':se%5Ccr%3Aet@'),
    amqpUrl: rabbit.amqpUrl.replace(':guest@', ':secret@'),
  }
  const { broker } = await useBroker(t, wrong)
  const failed = new Promise<string>((resolve) => {
    broker.onStatus(({ detail }) => {
      if (/ACCESS.REFUSED/i.test(detail)) resolve(detail)
    })
  })
  t.notMatch(await failed, /secret|se.cr/)
})

await t.test('a password with a colon and a backslash logs in on both protocols', async (t) => {
  const password = 'a:b\\c\\n'
  await rabbit.ctl('add_user', 'odd', password)
  t.teardown(async () => {
    await rabbit.ctl('delete_user', 'odd')
  })
  await rabbit.ctl('set_permissions', '-p', rabbit.vhost, 'odd', '.*', '.*', '.*')
  const account = `odd:${encodeURIComponent(password)}@`
  const urls = {
    stompUrl: rabbit.stompUrl.replace('guest:guest@', account),
    amqpUrl: rabbit.amqpUrl.replace('guest:guest@', account),
  }
  const { broker } = await useBroker(t, urls)
  await untilUp(broker)
  t.ok(broker.status().isUp)
})
