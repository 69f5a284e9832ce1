import t from 'tap'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { ConnectionPool, type ConnectionPoolOptions } from '../../src/store/kysely/connection-pool.ts'

class Connection {
  isBroken = false
  readonly ended = deferred()
  isEnded = false

  async end(): Promise<void> {
    this.isEnded = true
    this.ended.resolve()
  }
}

function pool(options: Partial<ConnectionPoolOptions<Connection>> = {}) {
  const made: Connection[] = []
  const connections = new ConnectionPool<Connection>({
    connect: async () => {
      const connection = new Connection()
      made.push(connection)
      return connection
    },
    maxConnections: 2,
    maxWaiting: 2,
    acquireTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    ...options,
  })
  return { connections, made }
}

await t.test('makes connections when they are wanted, and gives the one used last again', async (t) => {
  const { connections, made } = pool()
  const first = await connections.acquire()
  const second = await connections.acquire()
  connections.release(first)
  connections.release(second)
  t.equal(await connections.acquire(), second)
  t.equal(await connections.acquire(), first)
  t.equal(made.length, 2)
})

await t.test('lets callers wait in order up to a bound, and refuses more', async (t) => {
  const { connections } = pool({ maxConnections: 1 })
  const only = await connections.acquire()
  const order: string[] = []
  const waiting = ['a', 'b'].map(async (name) => {
    const connection = await connections.acquire()
    order.push(name)
    connections.release(connection)
  })
  await t.rejects(connections.acquire(), /too many/)
  connections.release(only)
  await Promise.all(waiting)
  t.strictSame(order, ['a', 'b'])
})

await t.test('rejects who waits too long, and serves those behind', async (t) => {
  const { connections } = pool({ maxConnections: 1, acquireTimeoutMs: 20 })
  const only = await connections.acquire()
  await t.rejects(connections.acquire(), /busy/)
  connections.release(only)
  t.equal(await connections.acquire(), only)
})

await t.test('replaces broken connections, also for those who wait', async (t) => {
  const { connections, made } = pool({ maxConnections: 1 })
  const first = await connections.acquire()
  const waiting = connections.acquire()
  first.isBroken = true
  connections.release(first)
  const second = await waiting
  t.not(second, first)
  connections.release(second)
  second.isBroken = true
  t.not(await connections.acquire(), second, 'it broke while nobody used it')
  t.equal(made.length, 3)
  t.ok(first.isEnded && second.isEnded)
})

await t.test('passes on why it cannot connect, and tries again with the next call', async (t) => {
  let isThere = false
  const attempts: Deferred<Connection>[] = []
  const { connections } = pool({
    maxConnections: 1,
    connect: async () => {
      if (isThere) return new Connection()
      attempts.push(deferred())
      return attempts.at(-1)!.promise
    },
  })
  const calls = [connections.acquire(), connections.acquire()]
  attempts[0]?.reject(new RangeError('not there'))
  await t.rejects(calls[0]!, RangeError)
  attempts[1]?.reject(new RangeError('not there'))
  await t.rejects(calls[1]!, RangeError)
  isThere = true
  t.type(await connections.acquire(), Connection)
})

await t.test('ends what nobody used for a while', async (t) => {
  const process = setInterval(() => undefined, 1000) // the pool does not keep it
  t.teardown(() => clearInterval(process))
  const { connections, made } = pool({ idleTimeoutMs: 10 })
  const first = await connections.acquire()
  const kept = await connections.acquire()
  connections.release(first)
  await first.ended.promise
  t.notOk(kept.isEnded)
  t.not(await connections.acquire(), first)
  t.equal(made.length, 3)
})

await t.test('closes once what is in use has come back, and refuses who waits or comes', async (t) => {
  const late = deferred<Connection>()
  const { connections } = pool({ maxConnections: 3 })
  const used = await connections.acquire()
  const idle = await connections.acquire()
  connections.release(idle)
  let isClosed = false
  const closing = Promise.all([connections.close(), connections.close()]).then(() => (isClosed = true))
  await idle.ended.promise
  await t.rejects(connections.acquire(), /closed/)
  t.notOk(isClosed)
  connections.release(used)
  await closing
  t.ok(used.isEnded)

  const slow = pool({ maxConnections: 1, connect: () => late.promise })
  const coming = slow.connections.acquire()
  const waiting = slow.connections.acquire()
  const ended = slow.connections.close()
  await t.rejects(waiting, /closed/)
  late.resolve(new Connection())
  await t.rejects(coming, /closed/)
  await ended
  await pool().connections.close()
})
