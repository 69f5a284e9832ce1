import t from 'tap'
import type { Test } from 'tap'
import { Trimmer, type TrimmerOptions } from '../../src/stream/trimmer.ts'
import { createStreamCounters } from '../../src/stream/stream-counters.ts'
import { until } from '../support/until.ts'
import { say, startRig, Warnings } from './rig.ts'

t.setTimeout(120_000)

const START = Date.parse('2030-01-31T09:30:00Z')
const DAY_MS = 86_400_000

/** A relay's store and appender, and a trimmer, all by one clock. */
async function startTrimmer(t: Test, options: Partial<TrimmerOptions> = {}) {
  const clock = { nowMs: START }
  const now = () => new Date(clock.nowMs)
  const rig = await startRig(t, { appender: { now } })
  const log = new Warnings()
  const counters = createStreamCounters()
  const trimmer = new Trimmer({
    store: rig.store,
    log,
    counters,
    now,
    intervalMs: 1,
    pauseMs: 0,
    ...options,
  })
  t.teardown(() => trimmer.close())
  return { ...rig, clock, log, counters, trimmer }
}

const toBob = () => {
  const address = { kind: 'user', user: 'bob', destination: '/user/queue/orders' } as const
  return Promise.resolve({
    events: [{ stream: '/user/bob/queue/orders', address, payload: 1 }],
    result: undefined,
  })
}

await t.test('removes events of users after 7 days and others after 30, and keeps the heads', async (t) => {
  const { store, outbox, watched, appender, clock, counters, trimmer } = await startTrimmer(t)
  await outbox.start()
  await Promise.all([appender.append(say('a', 1)), appender.append(toBob)])
  await watched.untilEmpty()
  trimmer.start()
  const kept = async () => [
    (await store.log.read('/topic/a', 0, 9)).length,
    (await store.log.read('/user/bob/queue/orders', 0, 9)).length,
  ]
  clock.nowMs += 7 * DAY_MS - 1
  t.equal(await store.log.trim(new Date(clock.nowMs).toISOString(), 9), 0)
  clock.nowMs += 1
  await until(() => counters.trimmed === 1)
  t.strictSame(await kept(), [1, 0])
  clock.nowMs = START + 30 * DAY_MS - 1
  t.equal(await store.log.trim(new Date(clock.nowMs).toISOString(), 9), 0)
  clock.nowMs += 1
  await until(() => counters.trimmed === 2)
  t.strictSame(await kept(), [0, 0])
  t.equal(await store.log.head('/topic/a'), 1)
})

await t.test('keeps for as long as it is told', async (t) => {
  const { store, appender } = await startRig(t, {
    appender: { now: () => new Date(START), retention: { userDays: 1, days: 2 } },
  })
  await Promise.all([appender.append(say('a', 1)), appender.append(toBob)])
  const rows = await store.outbox.pending(0, 9)
  await store.outbox.remove(rows.map(({ seq }) => seq))
  const trimmedAfter = (ms: number) => store.log.trim(new Date(START + ms).toISOString(), 9)
  t.equal(await trimmedAfter(DAY_MS - 1), 0)
  t.equal(await trimmedAfter(DAY_MS), 1)
  t.equal(await trimmedAfter(2 * DAY_MS - 1), 0)
  t.equal(await trimmedAfter(2 * DAY_MS), 1)
})

await t.test('removes a heap in small batches within one round, and requests too', async (t) => {
  const { store, outbox, watched, appender, clock, counters } = await startTrimmer(t)
  await outbox.start()
  const numbers = Array.from({ length: 95 }, (_, i) => i)
  const request = (n: number) => ({ request: { user: 'alice', scope: 'a', clientId: String(n) } })
  await Promise.all(numbers.map((n) => appender.append(say('a', n), request(n))))
  await watched.untilEmpty()
  clock.nowMs += 40 * DAY_MS
  const calls: number[] = []
  let trimmedFirst: number | undefined
  const trimmer = new Trimmer({
    store: {
      log: {
        trim: (nowIso, limit) => {
          calls.push(limit)
          return store.log.trim(nowIso, limit)
        },
      },
      requests: {
        trim: (nowIso, limit) => {
          calls.push(limit)
          trimmedFirst ??= counters.trimmed
          return store.requests.trim(nowIso, limit)
        },
      },
    },
    log: new Warnings(),
    counters,
    now: () => new Date(clock.nowMs),
    intervalMs: 1,
    batchSize: 10,
    pauseMs: 0,
  })
  t.teardown(() => trimmer.close())
  trimmer.start()
  await until(() => counters.forgotten === 95)
  t.equal(counters.trimmed, 95)
  t.equal(trimmedFirst, 95, 'all of them in the first round')
  t.ok(calls.length >= 19 && calls.every((limit) => limit === 10))
  t.strictSame(await store.log.read('/topic/a', 0, 9), [])
})

await t.test('logs what fails and tries again', async (t) => {
  const { outbox, watched, appender, hand, clock, log, counters, trimmer } = await startTrimmer(t)
  await outbox.start()
  await appender.append(say('a', 1))
  await watched.untilEmpty()
  clock.nowMs += 40 * DAY_MS
  hand.exec("create trigger broken before delete on events begin select raise(abort, 'no'); end")
  trimmer.start()
  await log.until('not-trimmed')
  t.equal(counters.trimmed, 0)
  hand.exec('drop trigger broken')
  await until(() => counters.trimmed === 1)
  t.equal(counters.trimmed, 1)
})

await t.test('stops in the middle of a heap when it is closed', async (t) => {
  const { store, outbox, watched, appender, clock, counters, trimmer } = await startTrimmer(t, {
    batchSize: 2,
    pauseMs: 600_000,
  })
  await outbox.start()
  await Promise.all([1, 2, 3, 4, 5].map((n) => appender.append(say('a', n))))
  await watched.untilEmpty()
  clock.nowMs += 40 * DAY_MS
  trimmer.start()
  await until(() => counters.trimmed === 2)
  await trimmer.close()
  t.equal((await store.log.read('/topic/a', 0, 9)).length, 3)
})
