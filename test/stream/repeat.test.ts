import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { StreamAppender, type StreamAppenderOptions } from '../../src/stream/append.ts'
import type { RepeatableRequest } from '../../src/stream/request-key.ts'
import { createStreamCounters } from '../../src/stream/stream-counters.ts'
import type { Write } from '../../src/stream/write-batch.ts'
import type { Store, StoreTransaction } from '../../src/store/store.ts'
import { message } from '../store/rows.ts'
import { idOf, openTestStore } from './rig.ts'

t.setTimeout(120_000)

const REQUEST = { user: 'alice', scope: '/app/messages', clientId: 'c-1' }
const DAY_MS = 86_400_000

/** One appender over the store, and the bodies that it gave to be relayed. */
function startAppender(store: Store, options: Partial<StreamAppenderOptions> = {}) {
  const relayed: string[] = []
  const counters = createStreamCounters()
  const relay = {
    push: (rows: readonly { body: string }[]) => relayed.push(...rows.map(({ body }) => body)),
    recheck: () => undefined,
  }
  const appender = new StreamAppender({ store, relay, counters, ...options })
  return { appender, relayed, counters }
}

/** A write of one message and its event, counting how often it ran. */
function post(id: string) {
  const runs = { count: 0 }
  const write = (tx: StoreTransaction): Promise<Write<{ id: string }>> => {
    runs.count += 1
    tx.messages.insert(message(id))
    const events = [{ stream: '/topic/a', address: { kind: 'topic', topic: 'a' } as const, payload: id }]
    return Promise.resolve({ events, result: { id } })
  }
  return { write, runs }
}

const failing = () => Promise.reject(new MessageError('conflict', 'not now'))

async function storedIds(store: Store): Promise<string[]> {
  return (await store.messages.list({ kind: 'public' }, { limit: 100 })).map(({ id }) => id).toSorted()
}

await t.test('stores a request once that is there twice in one batch, and answers both alike', async (t) => {
  const { store } = await openTestStore(t)
  const { appender, relayed, counters } = startAppender(store)
  const [one, two] = [post('m1'), post('m2')]
  const [first, other, second] = await Promise.all([
    appender.append(one.write, { request: REQUEST }),
    appender.append(post('m3').write),
    appender.append(two.write, { request: { ...REQUEST } }),
  ])
  t.strictSame(first, { result: { id: 'm1' }, eventIds: [idOf(store, '/topic/a', 1)], isRepeat: false })
  t.strictSame(second, { ...first, isRepeat: true })
  t.match(other, { eventIds: [idOf(store, '/topic/a', 2)], isRepeat: false })
  t.equal(two.runs.count, 0, 'a repetition does not run')
  t.strictSame(await storedIds(store), ['m1', 'm3'])
  t.strictSame(relayed, ['"m1"', '"m3"'])
  t.equal(counters.repeats, 1)
})

await t.test('answers a later repetition as the first, whatever it says', async (t) => {
  const { store, url } = await openTestStore(t)
  const { appender } = startAppender(store)
  const first = await appender.append(post('m1').write, { request: REQUEST })
  const again = startAppender(store)
  t.strictSame(await again.appender.append(post('other').write, { request: REQUEST }), {
    ...first,
    isRepeat: true,
  })
  t.strictSame(again.relayed, [])
  await store.close()
  const { store: reopened } = await openTestStore(t, url)
  const third = startAppender(reopened)
  t.strictSame(await third.appender.append(post('m3').write, { request: REQUEST }), {
    ...first,
    isRepeat: true,
  })
  t.strictSame(await storedIds(reopened), ['m1'])
})

await t.test('answers a write without events and without a result in the same way', async (t) => {
  const { store } = await openTestStore(t)
  const { appender } = startAppender(store)
  const nothing = () => Promise.resolve({ events: [], result: undefined })
  t.strictSame(await appender.append(nothing, { request: REQUEST }), {
    result: undefined,
    eventIds: [],
    isRepeat: false,
  })
  t.strictSame(await appender.append(nothing, { request: REQUEST }), {
    result: undefined,
    eventIds: [],
    isRepeat: true,
  })
})

await t.test('takes other users, places and ids for other requests', async (t) => {
  const { store } = await openTestStore(t)
  const { appender, counters } = startAppender(store)
  const requests: RepeatableRequest[] = [
    REQUEST,
    { ...REQUEST, user: 'bob' },
    { ...REQUEST, scope: '/app/rooms/lobby/messages' },
    { ...REQUEST, clientId: 'c-2' },
    { user: 'alice/app', scope: '/messages', clientId: 'c-1' },
    { user: 'alice","/app', scope: 'messages', clientId: 'c-1' },
  ]
  await Promise.all(requests.map((request, i) => appender.append(post(`m${i}`).write, { request })))
  t.equal((await storedIds(store)).length, requests.length)
  t.equal(counters.repeats, 0)
})

await t.test('stores once what two appenders over one database are asked for at the same time', async (t) => {
  const { store } = await openTestStore(t)
  const nodes = [startAppender(store), startAppender(store)]
  const asked = Array.from({ length: 20 }, (_, i) =>
    nodes.map(({ appender }, node) =>
      appender.append(post(`m${i}-${node}`).write, { request: { ...REQUEST, clientId: `c-${i}` } }),
    ),
  )
  for (const pair of asked) {
    const [one, two] = await Promise.all(pair)
    t.strictSame({ ...one, isRepeat: null }, { ...two, isRepeat: null })
    t.not(one?.isRepeat, two?.isRepeat, 'one of them is the repetition')
  }
  t.equal((await storedIds(store)).length, 20)
  t.equal(nodes.flatMap(({ relayed }) => relayed).length, 20)
})

await t.test('lets the next one run where the first failed, in one batch and later', async (t) => {
  const { store } = await openTestStore(t)
  const { appender, counters } = startAppender(store)
  const failed = appender.append(failing, { request: REQUEST })
  const second = appender.append(post('m1').write, { request: REQUEST })
  const third = appender.append(failing, { request: REQUEST })
  await t.rejects(failed, { code: 'conflict' })
  t.match(await second, { result: { id: 'm1' }, isRepeat: false })
  t.match(await third, { result: { id: 'm1' }, isRepeat: true })
  const other = { ...REQUEST, clientId: 'c-2' }
  await t.rejects(appender.append(failing, { request: other }), { code: 'conflict' })
  t.match(await appender.append(post('m2').write, { request: other }), { isRepeat: false })
  t.equal(counters.repeats, 1)
})

await t.test('remembers nothing of a batch that could not be committed', async (t) => {
  const { store, hand } = await openTestStore(t)
  const { appender, relayed } = startAppender(store)
  hand.exec("create trigger broken before insert on outbox begin select raise(abort, 'no'); end")
  const failed = await Promise.allSettled([
    appender.append(post('m1').write, { request: REQUEST }),
    appender.append(post('m2').write, { request: REQUEST }),
  ])
  for (const outcome of failed) t.match(outcome, { reason: { code: 'store-unavailable' } })
  hand.exec('drop trigger broken')
  t.match(await appender.append(post('m3').write, { request: REQUEST }), {
    result: { id: 'm3' },
    isRepeat: false,
  })
  t.strictSame(relayed, ['"m3"'])
})

await t.test('remembers for 24 hours, then stores anew', async (t) => {
  const { store } = await openTestStore(t)
  let now = Date.parse('2030-01-31T09:30:00Z')
  const { appender } = startAppender(store, { now: () => new Date(now) })
  const trim = () => store.requests.trim(new Date(now).toISOString(), 100)
  await appender.append(post('m1').write, { request: REQUEST })
  now += DAY_MS - 1
  t.equal(await trim(), 0)
  t.match(await appender.append(post('m2').write, { request: REQUEST }), { isRepeat: true })
  now += 1
  t.equal(await trim(), 1)
  t.match(await appender.append(post('m3').write, { request: REQUEST }), { isRepeat: false })
  t.strictSame(await storedIds(store), ['m1', 'm3'])
})

/** The store, where the first transaction is given up after its work, as for another node's sake. */
function givingUp(store: Store, between: () => Promise<unknown> = () => Promise.resolve()) {
  let isFirst = true
  const transact: Store['transact'] = async (work) => {
    if (isFirst) {
      isFirst = false
      const lost = store.transact(async (tx) => {
        await work(tx)
        throw new RangeError('a deadlock')
      })
      await lost.catch(() => undefined)
      await between()
    }
    return store.transact(work)
  }
  return { epoch: store.epoch, transact }
}

await t.test('settles by the last run alone when a transaction runs again', async (t) => {
  const { store } = await openTestStore(t)
  const { appender, relayed } = startAppender(store, { store: givingUp(store) })
  const [good, late] = [post('m1'), post('m2')]
  let tries = 0
  const answers = await Promise.allSettled([
    appender.append(good.write, { request: REQUEST }),
    appender.append((tx) => (++tries === 1 ? failing() : late.write(tx))),
    appender.append((tx) => (tries === 2 ? failing() : late.write(tx))),
  ])
  t.match(answers, [
    { value: { result: { id: 'm1' }, eventIds: [idOf(store, '/topic/a', 1)], isRepeat: false } },
    { value: { result: { id: 'm2' }, eventIds: [idOf(store, '/topic/a', 2)], isRepeat: false } },
    { status: 'rejected', reason: { code: 'conflict' } },
  ])
  t.equal(good.runs.count, 2)
  t.strictSame(await storedIds(store), ['m1', 'm2'])
  t.strictSame(relayed, ['"m1"', '"m2"'])
})

await t.test('is a repetition when another node remembered the request meanwhile', async (t) => {
  const { store } = await openTestStore(t)
  const other = startAppender(store)
  const between = () => other.appender.append(post('m1').write, { request: REQUEST })
  const { appender, relayed, counters } = startAppender(store, { store: givingUp(store, between) })
  t.strictSame(await appender.append(post('m2').write, { request: REQUEST }), {
    result: { id: 'm1' },
    eventIds: [idOf(store, '/topic/a', 1)],
    isRepeat: true,
  })
  t.strictSame(await storedIds(store), ['m1'])
  t.strictSame([other.relayed, relayed, counters.repeats], [['"m1"'], [], 1])
})

await t.test('gives the batch up where the database does not answer in the middle of it', async (t) => {
  const { store } = await openTestStore(t)
  const { appender } = startAppender(store)
  const after = post('m2')
  const settled = await Promise.allSettled([
    appender.append(post('m1').write),
    appender.append(() => Promise.reject(new MessageError('store-unavailable', 'gone'))),
    appender.append(after.write),
  ])
  for (const outcome of settled) t.match(outcome, { reason: { code: 'store-unavailable' } })
  t.equal(after.runs.count, 0)
  t.strictSame(await storedIds(store), [])
})
