import t from 'tap'
import { Streams } from '../../src/stream/streams.ts'
import { until } from '../support/until.ts'
import { leave, Line, openSecondStore, openTestStore, say, Warnings } from './rig.ts'

// The default times are seconds.
t.setTimeout(300_000)

const LONG_MS = 600_000

await t.test('takes over within 10 seconds of a death, by its default times', async (t) => {
  const { store, url } = await openTestStore(t)
  const line = new Line()
  await line.start(t)
  const log = new Warnings()
  const streams = new Streams({
    store,
    broker: line,
    log,
    nodeId: 'node-1',
    boot: 'b',
    retention: { userDays: 7, days: 30 },
  })
  t.teardown(() => streams.close())
  await streams.start()
  const dead = await openSecondStore(t, url, 'node-2')
  await dead.nodes.renew({ nodeId: 'node-2', boot: 'b', ttlMs: 6000 })
  const diedAt = performance.now()
  await leave(dead, 'a', 3)
  await line.until(3)
  const tookMs = performance.now() - diedAt
  t.ok(tookMs > 5000, 'not while its lease stood')
  t.ok(tookMs < 10_000, `${Math.round(tookMs)} ms`)
  t.match(streams.counters, { claimed: 3, relayed: 3, leaseLost: 0 })
  t.match(await streams.appender.append(say('a', 4)), { result: 'said on a' })
  await line.until(4)
  await streams.close()
  await streams.close()
  t.strictSame(await store.nodes.living(), [])
})

await t.test('trims what has expired', async (t) => {
  const { store } = await openTestStore(t)
  const line = new Line()
  await line.start(t)
  let nowMs = Date.now()
  const batches: unknown[] = []
  const streams = new Streams({
    store,
    broker: line,
    log: new Warnings(),
    nodeId: 'node-1',
    boot: 'b',
    retention: { userDays: 7, days: 30 },
    onBatch: (batch) => batches.push(batch),
    now: () => new Date(nowMs),
    trimIntervalMs: 1,
  })
  t.teardown(() => streams.close())
  await streams.start()
  await streams.appender.append(say('a', 1))
  t.match(batches, [{ writes: 1, events: 1, commitMs: Number }])
  await until(async () => streams.held === 0 && (await store.outbox.pending(0, 1)).length === 0)
  nowMs += 30 * 86_400_000
  await until(() => streams.counters.trimmed === 1)
  t.strictSame(await store.log.read('/topic/a', 0, 9), [])
})

await t.test('a second node of the same name does not start', async (t) => {
  const { store, url } = await openTestStore(t)
  await store.nodes.renew({ nodeId: 'node-2', boot: 'other', ttlMs: LONG_MS })
  const streams = new Streams({
    store: await openSecondStore(t, url, 'node-2'),
    broker: new Line(),
    log: new Warnings(),
    nodeId: 'node-2',
    boot: 'b',
    retention: { userDays: 7, days: 30 },
  })
  t.teardown(() => streams.close())
  await t.rejects(streams.start(), { code: 'node-id-taken' })
})

await t.test(
  'tells of each event that was stored, before it is relayed, at the latest when closing',
  async (t) => {
    const { store } = await openTestStore(t)
    const line = new Line()
    await line.start(t)
    const told: unknown[] = []
    const streams = new Streams({
      store,
      broker: line,
      log: new Warnings(),
      nodeId: 'node-1',
      boot: 'b',
      retention: { userDays: 7, days: 30 },
      onStored: ({ address, eventId, body }) => {
        if (Buffer.from(body).toString() === '2') throw new Error('no subscriber takes it')
        told.push([address, eventId.split(':')[1], Buffer.from(body).toString(), line.received.length])
      },
    })
    t.teardown(() => streams.close())
    await streams.start()
    const topic = { kind: 'topic', topic: 'a' } as const
    const queue = { kind: 'queue', queue: 'q' } as const
    const events = [topic, topic, queue].map((address, i) => {
      return { stream: `/${address.kind}/a`, address, payload: i + 1 }
    })
    await streams.appender.append(() => Promise.resolve({ events, result: null }))
    await streams.close()
    t.strictSame(told, [[topic, '1', '1', 0]], 'nodes get nothing of queues')
    t.equal(line.received.length, 2, 'nor here')
    t.strictSame(await store.outbox.pending(0, 5), [])
  },
)
