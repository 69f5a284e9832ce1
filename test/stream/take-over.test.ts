import t from 'tap'
import type { Test } from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import { createStreamCounters } from '../../src/stream/stream-counters.ts'
import { Outbox, type OutboxOptions } from '../../src/stream/outbox.ts'
import { Sweeper } from '../../src/stream/sweeper.ts'
import type { Store } from '../../src/store/store.ts'
import { until } from '../support/until.ts'
import { leave, Line, openSecondStore, openTestStore, say, Warnings, WatchedOutbox } from './rig.ts'

// Nodes here are stores of different names on one file. It cannot show what databases do when two
// claim in the same moment: that is in the contract of the store.

t.setTimeout(120_000)

const LONG_MS = 600_000
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** An outbox and its sweeper, with a line of their own. */
async function startSurvivor(t: Test, store: Store, options: Partial<OutboxOptions> = {}) {
  const line = new Line()
  await line.start(t)
  const log = new Warnings()
  const counters = createStreamCounters()
  const watched = new WatchedOutbox(store)
  const quick = { removeDelayMs: 1, retryBaseMs: 1, retryMaxMs: 5, closeTimeoutMs: 50 }
  const outbox = new Outbox({ store: watched, broker: line, log, counters, ...quick, ...options })
  t.teardown(() => outbox.close())
  await outbox.start()
  const looks = { count: 0, isHeld: true }
  const lease = {
    get isHeld() {
      looks.count += 1
      return looks.isHeld
    },
  }
  const sweeper = new Sweeper({ outbox, lease, log, intervalMs: 1, batchSize: 10 })
  t.teardown(() => sweeper.close())
  const appender = new StreamAppender({ store, relay: outbox, log })
  t.teardown(() => appender.close())
  return { line, log, counters, watched, outbox, appender, looks, sweeper }
}

await t.test('relays in order what a dead node left, and removes it', async (t) => {
  const { store, url } = await openTestStore(t)
  const { line, log, counters, watched, sweeper } = await startSurvivor(t, store)
  const dead = await openSecondStore(t, url, 'node-2')
  const bodies = await leave(dead, 'a', 35)
  sweeper.start()
  await line.until(35)
  t.strictSame(line.bodies, bodies)
  await watched.untilEmpty()
  t.strictSame(await dead.outbox.pending(0, 9), [])
  t.match(counters, { claimed: 35, relayed: 35 })
  t.ok(log.events.includes('claimed'))
})

await t.test('leaves alone what living nodes have, until their lease is gone', async (t) => {
  const { store, url } = await openTestStore(t)
  const { line, looks, sweeper } = await startSurvivor(t, store)
  const living = await openSecondStore(t, url, 'node-2')
  const lease = { nodeId: 'node-2', boot: 'b' }
  await living.nodes.renew({ ...lease, ttlMs: LONG_MS })
  await leave(living, 'a', 3)
  sweeper.start()
  await until(() => looks.count > 5)
  t.equal((await living.outbox.pending(0, 9)).length, 3)
  await living.nodes.release(lease)
  await line.until(3)
})

await t.test('claims nothing while its own lease does not stand', async (t) => {
  const { store, url } = await openTestStore(t)
  const { line, looks, sweeper } = await startSurvivor(t, store)
  looks.isHeld = false
  const dead = await openSecondStore(t, url, 'node-2')
  await leave(dead, 'a', 3)
  sweeper.start()
  await until(() => looks.count > 5)
  t.equal((await dead.outbox.pending(0, 9)).length, 3)
  looks.isHeld = true
  await line.until(3)
})

await t.test('takes no more than it has room for, and the rest when there is room', async (t) => {
  const { store, url } = await openTestStore(t)
  const { line, looks, watched, outbox, sweeper } = await startSurvivor(t, store, {
    maxHeld: 10,
    pageSize: 5,
  })
  const dead = await openSecondStore(t, url, 'node-2')
  const bodies = await leave(dead, 'a', 33)
  const gate = deferred()
  let most = 0
  line.fault = () => {
    most = Math.max(most, outbox.held)
    return gate.promise
  }
  sweeper.start()
  await until(() => outbox.held === 10)
  const before = looks.count
  await until(() => looks.count > before + 5)
  t.equal(outbox.held, 10)
  t.equal((await dead.outbox.pending(0, 99)).length, 23)
  gate.resolve()
  await line.until(33)
  t.strictSame(line.bodies, bodies)
  await watched.untilEmpty()
  t.ok(most <= 10)
})

await t.test('keeps room for what it is claiming, and its own events wait in the table', async (t) => {
  const { store, url } = await openTestStore(t)
  const { line, watched, outbox, appender } = await startSurvivor(t, store, { maxHeld: 4, pageSize: 2 })
  const dead = await openSecondStore(t, url, 'node-2')
  await leave(dead, 'a', 4)
  const [answer, broker] = [deferred(), deferred()]
  watched.claimGate = answer.promise
  line.fault = () => broker.promise
  const claimed = outbox.claim(9)
  await Promise.all([1, 2, 3].map((n) => appender.append(say('b', n))))
  t.equal(outbox.held, 0)
  answer.resolve()
  t.equal(await claimed, 4)
  t.equal(outbox.held, 4)
  broker.resolve()
  await line.until(7)
  await watched.untilEmpty()
})

await t.test('relays its own events as ever, between those it took over', async (t) => {
  const { store, url } = await openTestStore(t)
  const { line, watched, appender, sweeper } = await startSurvivor(t, store, { maxHeld: 8, pageSize: 4 })
  const dead = await openSecondStore(t, url, 'node-2')
  const left = await leave(dead, 'a', 20)
  const own = numbers(20).map((n) => `"b ${n}"`)
  sweeper.start()
  for (const n of numbers(20)) await appender.append(say('b', `b ${n}`))
  await line.until(40)
  const heard = (topic: string) => line.bodies.filter((body) => body.startsWith(`"${topic}`))
  t.strictSame(heard('a'), left)
  t.strictSame(heard('b'), own)
  await watched.untilEmpty()
})

await t.test('shares what is left among the survivors: each row goes to one', async (t) => {
  const { store, url } = await openTestStore(t)
  const second = await openSecondStore(t, url, 'node-3')
  const dead = await openSecondStore(t, url, 'node-2')
  const bodies = await leave(dead, 'a', 200)
  await store.nodes.renew({ nodeId: 'node-1', boot: 'b', ttlMs: LONG_MS })
  await store.nodes.renew({ nodeId: 'node-3', boot: 'b', ttlMs: LONG_MS })
  const survivors = [await startSurvivor(t, store), await startSurvivor(t, second)]
  for (const { sweeper } of survivors) sweeper.start()
  await until(() => survivors.reduce((sum, { line }) => sum + line.received.length, 0) >= 200)
  for (const { watched } of survivors) await watched.untilEmpty()
  t.strictSame(survivors.flatMap(({ line }) => line.bodies).toSorted(), bodies.toSorted())
  t.equal(
    survivors.reduce((sum, { counters }) => sum + counters.claimed, 0),
    200,
  )
})

await t.test('goes on when outboxes cannot be claimed for a while', async (t) => {
  const { store, hand, url } = await openTestStore(t)
  const { line, log, sweeper } = await startSurvivor(t, store)
  const dead = await openSecondStore(t, url, 'node-2')
  await leave(dead, 'a', 1)
  hand.exec('alter table outbox rename to elsewhere')
  sweeper.start()
  await log.until('not-swept')
  hand.exec('alter table elsewhere rename to outbox')
  await line.until(1)
})

await t.test('two nodes that took each other for dead relay both, and both go on', async (t) => {
  const { store, url } = await openTestStore(t)
  const second = await openSecondStore(t, url, 'node-2')
  const [one, two] = [
    await startSurvivor(t, store, { maxHeld: 4, pageSize: 2 }),
    await startSurvivor(t, second),
  ]
  const gate = deferred()
  one.line.fault = () => gate.promise
  await Promise.all(numbers(10).map((n) => one.appender.append(say('a', n))))
  t.equal(one.outbox.held, 4, 'the others it would read from its table')
  // The database was away: no lease stands, and the other one is the first to look.
  t.equal(await two.outbox.claim(99), 10)
  await two.line.until(10)
  await two.watched.untilEmpty()
  t.equal(await one.outbox.claim(99), 0)
  gate.resolve()
  await one.line.until(4)
  await until(() => one.outbox.held === 0)
  // A node that looked on for its rows would look as often as this does.
  for (const _ of numbers(50)) await store.outbox.pending(0, 1)
  t.ok(one.watched.pages.length < 10, 'it does not look again and again for what has gone')
  await one.appender.append(say('a', 'next'))
  await one.line.until(5)
  t.strictSame(one.line.bodies, ['0', '1', '2', '3', '"next"'])
  await one.watched.untilEmpty()
  t.strictSame([one.log.events, two.log.events], [[], []])
})

await t.test('relays once what it has claimed and then reads from its table', async (t) => {
  const { store, url } = await openTestStore(t)
  const dead = await openSecondStore(t, url, 'node-2')
  const few = { maxHeld: 4, pageSize: 2, removeDelayMs: LONG_MS }
  const { line, outbox, appender } = await startSurvivor(t, store, few)
  const gate = deferred()
  line.fault = () => gate.promise
  await Promise.all([1, 2, 3].map((n) => appender.append(say('b', n))))
  await leave(dead, 'a', 1)
  t.equal(await outbox.claim(9), 1)
  await Promise.all([5, 6].map((n) => appender.append(say('b', n))))
  t.equal(outbox.held, 4, 'the last two are read later, and what was claimed with them')
  gate.resolve()
  await line.until(6)
  await until(() => outbox.held === 0)
  t.strictSame(line.bodies.toSorted(), ['"a 0"', '1', '2', '3', '5', '6'])
  await outbox.close()
  t.strictSame(await store.outbox.pending(0, 9), [])
})
