import { join } from 'node:path'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { startProcess } from '../support/child-process.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { temporaryFolder } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { useTcpProxy } from '../support/tcp-proxy.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

// kill -9 takes the process and leaves the machine: what this cannot show is a loss of power.

/** `[epoch, offset]` of an event id. */
function parts(eventId: string | undefined): [string, number] {
  const [, epoch = '', offset = ''] = /^(.+):(\d+)$/.exec(eventId ?? '') ?? []
  return [epoch, Number(offset)]
}

await t.test('what got a receipt is there after kill -9, and event ids go on by one', async (t) => {
  const settings = {
    DATABASE_URL: `sqlite:${join(await temporaryFolder(t), 'relay.db')}`,
    AUTH_JWT_SECRET: TEST_SECRET,
  }
  const first = await startProcess(t, settings)
  const alice = await StompClient.connect(t, first.url, { login: 'alice' })
  const service = await StompClient.connect(t, first.url, { login: 'orders' })
  await alice.subscribe('m', '/topic/messages')
  await alice.subscribe('o', '/user/queue/orders')
  for (const content of ['one', 'two']) {
    await alice.ask('SEND', ['destination', '/app/messages'], JSON.stringify({ content }))
  }
  await alice.message('m')
  const [epoch, offset] = parts(header((await alice.message('m')).frame.headers, 'event-id'))
  t.equal(offset, 2)
  await service.ask(
    'SEND',
    ['destination', '/queue/user'],
    '{"orderId":"o-1","userId":"alice","status":"PLACED"}',
  )
  t.match((await alice.message('o')).payload, { orderId: 'o-1', status: 'PLACED' })
  // The receipt of the last one is all that is waited for.
  await alice.ask('SEND', ['destination', '/app/rooms/lobby/messages'], '{"content":"three"}')
  await first.kill()
  t.equal((await alice.closed).code, 1006)

  const second = await startProcess(t, settings)
  const again = await StompClient.connect(t, second.url, { login: 'alice' })
  await again.subscribe('h', '/app/rooms/lobby/history')
  t.match((await again.message('h')).payload, [{ content: 'three', sender: 'alice' }])
  await again.subscribe('m', '/topic/messages')
  await again.subscribe('o', '/user/queue/orders')
  await again.ask('SEND', ['destination', '/app/messages'], '{"content":"after"}')
  const after = await again.message('m')
  t.match(after.payload, { content: 'after' })
  t.same(parts(header(after.frame.headers, 'event-id')), [epoch, 3])
  const next = await StompClient.connect(t, second.url, { login: 'orders' })
  const order = '{"orderId":"o-1","userId":"alice","status":"READY"}'
  await next.ask('SEND', ['destination', '/queue/user'], order)
  const { payload, frame } = await again.message('o')
  t.match(payload, { orderId: 'o-1', status: 'READY' })
  t.equal(parts(header(frame.headers, 'event-id'))[1], 2)
})

await t.test('what was stored but not relayed is relayed once RabbitMQ is there', async (t) => {
  const { stompUrl, amqpUrl } = await useRabbitMq(t)
  const stomp = await useTcpProxy(t, Number(new URL(stompUrl).port))
  const amqp = await useTcpProxy(t, Number(new URL(amqpUrl).port))
  const through = (url: string, port: number): string => {
    const changed = new URL(url)
    changed.port = String(port)
    return changed.href
  }
  const settings = {
    DATABASE_URL: `sqlite:${join(await temporaryFolder(t), 'relay.db')}`,
    AUTH_JWT_SECRET: TEST_SECRET,
    RABBITMQ_STOMP_URL: through(stompUrl, stomp.port),
    RABBITMQ_AMQP_URL: through(amqpUrl, amqp.port),
  }
  stomp.refuse(true)
  amqp.refuse(true)
  const first = await startProcess(t, settings)
  const alice = await StompClient.connect(t, first.url, { login: 'alice' })
  for (const content of ['one', 'two']) {
    await alice.ask('SEND', ['destination', '/app/messages'], JSON.stringify({ content }))
  }
  const response = await fetch(`${first.address}/api/v1/admin/broadcasts`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await testToken('root', 'admin')}`,
      'content-type': 'application/json',
    },
    body: '{"title":"a","message":"b"}',
  })
  t.equal(response.status, 202, 'what is durable is taken, whether or not the broker is there')
  await first.kill()

  // Another node listens when the first one's successor relays what it left.
  const watcher = await startProcess(t, {
    AUTH_JWT_SECRET: TEST_SECRET,
    RABBITMQ_STOMP_URL: stompUrl,
    RABBITMQ_AMQP_URL: amqpUrl,
  })
  const bob = await StompClient.connect(t, watcher.url, { login: 'bob' })
  await bob.subscribe('m', '/topic/messages')
  await bob.subscribe('b', '/topic/broadcasts')
  const second = await startProcess(t, settings)
  const carol = await StompClient.connect(t, second.url, { login: 'bob' })
  t.equal((await fetch(`${second.address}/readyz`)).status, 503)
  await carol.ask('SEND', ['destination', '/app/messages'], '{"content":"three"}')
  stomp.refuse(false)
  amqp.refuse(false)
  for (const content of ['one', 'two', 'three']) {
    t.equal((await bob.message('m')).payload['content'], content)
  }
  t.match((await bob.message('b')).payload, { title: 'a' })
})
