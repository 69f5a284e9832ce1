import { getActiveResourcesInfo } from 'node:process'
import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { MessageError } from '../../src/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import { openSecondStore, say, startRig, topicEvent } from './rig.ts'

const LOST = new MessageError('store-unavailable', 'the connection ended')
const LONG_MS = 3_600_000

/** A store whose answer to the next commit is lost when the test says so. */
function forgetful(store: Store) {
  const hand = { isLost: false }
  const transact: Store['transact'] = async (work) => {
    const result = await store.transact(work)
    if (!hand.isLost) return result
    hand.isLost = false
    throw LOST
  }
  return { hand, store: { transact, epoch: store.epoch } }
}

await t.test(
  'relays what was committed though the answer was lost, before anything else comes',
  async (t) => {
    const { line, watched, appender, hand } = await start(t)
    await appender.append(say('a', 1))
    hand.isLost = true
    await t.rejects(appender.append(say('a', 2)), LOST)
    await line.until(2)
    await watched.untilEmpty()
    t.strictSame(line.bodies, ['1', '2'])
  },
)

await t.test('relays it also when more was committed meanwhile, and nothing twice', async (t) => {
  const { line, watched, appender, hand } = await start(t)
  hand.isLost = true
  const [lost, ...kept] = [1, 2, 3].map((n) => appender.append(say(`t${n}`, n)))
  await t.rejects(Promise.all([lost, ...kept]), LOST)
  for (const n of [4, 5]) await appender.append(say(`t${n}`, n))
  await line.until(5)
  await watched.untilEmpty()
  t.strictSame(line.bodies.toSorted(), ['1', '2', '3', '4', '5'])
})

await t.test('finds a commit that was done only after it had looked', async (t) => {
  const { store, line, watched, outbox, appender } = await start(t, 1)
  await appender.append(say('a', 1))
  await watched.untilEmpty()
  const answer = deferred()
  watched.gate = answer.promise
  const isRead = watched.read()
  outbox.recheck()
  await isRead
  await store.transact((tx) => tx.appendEvents([topicEvent('b', '"late"')]))
  answer.resolve()
  await line.until(2)
  await watched.untilEmpty()
  t.strictSame(line.bodies, ['1', '"late"'])
})

await t.test('looks again where it was told while it looked', async (t) => {
  const { store, line, watched, outbox } = await start(t)
  const answer = deferred()
  watched.gate = answer.promise
  const first = watched.read()
  outbox.recheck()
  await first
  await store.transact((tx) => tx.appendEvents([topicEvent('a', '1')]))
  outbox.recheck()
  answer.resolve()
  await line.until(1)
  await watched.untilEmpty()
})

await t.test('relays once what was confirmed and removed while it looked', async (t) => {
  const { line, watched, outbox, appender } = await start(t)
  const [broker, answer] = [deferred(), deferred()]
  line.fault = () => broker.promise
  await appender.append(say('a', 1))
  watched.gate = answer.promise
  const isRead = watched.read()
  outbox.recheck()
  await isRead
  broker.resolve()
  await watched.untilEmpty()
  answer.resolve()
  await appender.append(say('a', 2))
  await line.until(2)
  await watched.untilEmpty()
  t.strictSame(line.bodies, ['1', '2'])
})

await t.test('relays what it claimed though the answer was lost', async (t) => {
  const { store, url, line, watched, outbox, appender } = await start(t)
  const dead = await openSecondStore(t, url, 'node-2')
  await dead.transact((tx) => tx.appendEvents([topicEvent('b', '"left behind"')]))
  await appender.append(say('a', 1))
  await line.until(1)
  const lost = Promise.reject(LOST)
  lost.catch(() => undefined)
  watched.claimGate = lost
  await t.rejects(outbox.claim(9), LOST)
  await line.until(2)
  await watched.untilEmpty()
  t.strictSame(line.bodies, ['1', '"left behind"'])
  t.strictSame(await store.outbox.pending(0, 9), [])
})

await t.test('neither looks nor waits any more once it is closed', async (t) => {
  const { outbox } = await start(t)
  const timers = (): number => getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  const timersBefore = timers()
  outbox.recheck()
  await outbox.close()
  t.equal(timers(), timersBefore)

  const other = await start(t)
  await other.outbox.close()
  const readsBefore = other.watched.pages.length
  other.outbox.recheck()
  t.equal(timers(), timersBefore)
  t.equal(other.watched.pages.length, readsBefore)
})

async function start(t: Parameters<typeof startRig>[0], doubtMs = LONG_MS) {
  const rig = await startRig(t, { outbox: { doubtMs } })
  const { hand, store } = forgetful(rig.store)
  const appender = new StreamAppender({ store, relay: rig.outbox })
  t.teardown(() => appender.close())
  await rig.outbox.start()
  return { ...rig, hand, appender }
}
