import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import process from 'node:process'
import t, { type Test } from 'tap'
import { AmqpConnection } from '../../../src/broker/rabbitmq/amqp-connection.ts'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { useTcpProxy } from '../../support/tcp-proxy.ts'
import { until } from '../../support/until.ts'

const rabbit = await useRabbitMq(t)

async function open(port: number, connectTimeoutMs: number): Promise<AmqpConnection> {
  const url = parseBrokerUrl(rabbit.amqpUrl, 'amqp', 5672)
  const options = { url, name: 'test', connectTimeoutMs, heartBeatMs: 1_000 }
  return AmqpConnection.open({ host: '127.0.0.1', port }, options, new AbortController().signal)
}

/** Somebody who says a byte now and then, from the beginning of a frame that never ends. */
async function useTrickle(t: Test): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(Buffer.from([1, 0, 0, 0, 255, 255, 255]))
    const trickle = setInterval(() => socket.write(Buffer.from([0])), 20)
    socket.on('close', () => clearInterval(trickle))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length
}

await t.test('who speaks and never finishes is given up after the connect time-out', async (t) => {
  const port = await useTrickle(t)
  const before = sockets()
  await t.rejects(open(port, 300), { message: 'connect timed out' })
  await until(() => sockets() <= before)
})

await t.test('a connection that falls silent ends by its heart-beats, and its socket with it', async (t) => {
  const proxy = await useTcpProxy(t, Number(new URL(rabbit.amqpUrl).port))
  const before = sockets()
  const connection = await open(proxy.port, 10_000)
  const channel = await connection.channel(() => undefined)
  proxy.freeze()
  // What waits in the socket must not keep it for as long as nobody reads it.
  for (let i = 0; i < 200; i += 1) channel.publish('', 'nowhere', Buffer.alloc(100_000))
  t.match(await connection.closed, { message: 'Heartbeat timeout' })
  t.notOk(connection.isOpen)
  // The proxy's two sockets stay: it reads nothing, and so it does not notice.
  await until(() => sockets() <= before + 2)
})
