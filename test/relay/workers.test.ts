import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import process from 'node:process'
import t from 'tap'
import { runProgram, startProcess, type RelayProcess } from '../support/child-process.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET } from '../support/token.ts'
import { metric, until } from '../support/until.ts'

t.setTimeout(240_000)

type Test = Parameters<typeof startProcess>[0] & Pick<typeof t, 'equal'>

const [databaseUrl, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
  WORKERS: '2',
  NODE_ID: 'shop',
  LIMIT_SESSIONS_PER_USER: '1000',
}

/** The process ids that were given to a worker, the latest last. */
function pidsOf(relay: RelayProcess, worker: string): number[] {
  const lines = relay
    .output()
    .split('\n')
    .filter((line) => line.includes('"event":"worker-started"'))
  const entries = lines.map((line) => JSON.parse(line) as { worker: string; pid: number })
  return entries.filter((entry) => entry.worker === worker).map(({ pid }) => pid)
}

/** Sessions at a worker, whichever is asked; NaN where there is no such worker. */
async function sessionsAt(relay: RelayProcess, node: string): Promise<number> {
  return metric(relay.address, `stomp_relay_sessions{node="${node}"}`)
}

/** Connects subscribers of a topic until there is one at both workers. */
async function connectToBoth(test: Test, relay: RelayProcess) {
  const clients: StompClient[] = []
  await until(async () => {
    // Two, as every other connection, of those that ask for metrics too, goes to the same worker.
    for (let i = 0; i < 2; i++) {
      const client = await StompClient.connect(test, relay.url, { login: 'orders' })
      await client.subscribe('s', '/topic/both')
      clients.push(client)
    }
    return (await sessionsAt(relay, 'shop-1')) > 0 && (await sessionsAt(relay, 'shop-2')) > 0
  })
  return clients
}

/** What one says, all hear. */
async function talk(test: Test, clients: readonly StompClient[], text: string): Promise<void> {
  await clients[0]!.ask('SEND', ['destination', '/topic/both'], JSON.stringify({ text }))
  for (const client of clients) test.equal((await client.message('s')).payload['text'], text)
}

await t.test('workers share a port, each a node; one that dies is replaced, the others go on', async (t) => {
  const relay = await startProcess(t, env)
  await until(() => relay.output().includes('"workers":2'))
  // The banner comes by another pipe than the log.
  await until(() => /workers +2/.test(relay.output()))
  t.equal(relay.output().split('stomp-relay serves').length, 2, 'the banner of all, once')
  const clients = await connectToBoth(t, relay)
  for (const [index] of clients.entries())
    await talk(t, [...clients.slice(index), ...clients.slice(0, index)], `${index}`)

  const theirs = await sessionsAt(relay, 'shop-1')
  const [pid] = pidsOf(relay, 'shop-1')
  process.kill(pid!, 'SIGKILL')
  await relay.logged('worker-ended')
  const isClosed = ({ webSocket }: StompClient): boolean => webSocket.readyState === webSocket.CLOSED
  await until(() => clients.filter(isClosed).length === theirs)
  const left = clients.filter(({ webSocket }) => webSocket.readyState === webSocket.OPEN)
  t.ok(left.length > 0, 'the other worker and its clients live')
  await talk(t, left, 'still here')

  // The new one bears the dead one's name, and waits for its lease.
  await until(async () => pidsOf(relay, 'shop-1').length === 2 && (await sessionsAt(relay, 'shop-1')) === 0)
  const more = await connectToBoth(t, relay)
  await talk(t, [...left, ...more], 'all back')

  const closes = [...left, ...more].map(async ({ closed }) => closed)
  relay.child.kill('SIGTERM')
  for (const close of await Promise.all(closes)) t.equal(close.code, 1001)
  t.equal(await relay.exited, 0)
})

await t.test('workers end with the first process', async (t) => {
  const relay = await startProcess(t, env)
  await until(() => relay.output().includes('"workers":2'))
  const clients = await connectToBoth(t, relay)
  const pids = ['shop-1', 'shop-2'].flatMap((worker) => pidsOf(relay, worker))
  await relay.kill()
  await Promise.all(clients.map(async ({ closed }) => closed))
  await until(() => pids.every((pid) => !isAlive(pid)))
  t.equal(pids.length, 2)
})

await t.test('a worker that cannot start ends them all, and says why', async (t) => {
  const taken = createServer()
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const port = String((taken.address() as AddressInfo).port)
  const ended = await runProgram(t, ['src/main.ts'], { env: { ...env, PORT: port } })
  t.equal(ended.code, 1)
  t.match(ended.stderr, `cannot listen on 127.0.0.1:${port}`)
  t.match(ended.stderr, /shop-[12] could not start/)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
