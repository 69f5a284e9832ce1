import { setImmediate as turn } from 'node:timers/promises'
import Database from 'libsql'
import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { STREAM, streamRig } from '../support/stream-rig.ts'
import { until } from '../support/until.ts'

const PAST = '2000-01-01T00:00:00.000Z'

const upTo = (last: number, first = 1): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => String(first + i))

/** A client that reads only when it is told to. */
class SlowSubscriber extends RecordingSubscriber {
  asked = 0
  isAway = false
  #next = deferred()

  room(): Promise<void> {
    this.asked += 1
    return this.#next.promise
  }

  isGone(): boolean {
    return this.isAway
  }

  read(): void {
    this.#next.resolve()
    this.#next = deferred()
  }
}

await t.test('replays what came after an event, then goes live', async (t) => {
  const { hub, append, bring, subscribe, id, epoch } = await streamRig(t)
  await append(5)
  const { subscriber, recovery } = await subscribe({ kind: 'event-id', eventId: id(2) })
  t.same(recovery, { position: { epoch, offset: 5 }, recovered: true })
  t.same(subscriber.bodies, ['3', '4', '5'])
  t.same(subscriber.headers('event-id'), [id(3), id(4), id(5)])
  t.same(subscriber.headers('destination'), Array(3).fill(STREAM))
  await append(1)
  bring(5)
  bring(6)
  await turn()
  t.same(subscriber.bodies, ['3', '4', '5', '6'])
  t.match(hub.counters, { replays: 1, replayed: 3, notRecovered: 0 })
})

await t.test('resumes from before the first event, and from the last one', async (t) => {
  const { append, subscribe, id, epoch } = await streamRig(t)
  const empty = await subscribe({ kind: 'event-id', eventId: id(0) })
  t.same(empty.recovery, { position: { epoch, offset: 0 }, recovered: true })
  await append(2)
  empty.close()
  const first = await subscribe({ kind: 'event-id', eventId: id(0) })
  t.same(first.subscriber.bodies, ['1', '2'])
  const last = await subscribe({ kind: 'event-id', eventId: id(2) })
  t.same(last.recovery, { position: { epoch, offset: 2 }, recovered: true })
  t.same(last.subscriber.bodies, [])
})

await t.test('says what it cannot resume from, and goes live', async (t) => {
  const { hub, append, bring, subscribe, id, epoch, store } = await streamRig(t)
  await append(2)
  const nonsense = [
    '',
    'nonsense',
    `${epoch}:`,
    `${epoch}:1.5`,
    `${epoch}:-1`,
    `:1`,
    id(3),
    `${epoch}:999999999`,
  ]
  const elsewhere = [`${store.epoch}0000000:1`, `othrepoc0000000:1`, 'a:1']
  const live: RecordingSubscriber[] = []
  for (const [eventIds, reason] of [
    [nonsense, 'malformed'],
    [elsewhere, 'unknown-epoch'],
  ] as const) {
    for (const eventId of eventIds) {
      const { recovery, subscriber } = await subscribe({ kind: 'event-id', eventId })
      t.same(recovery, { position: { epoch, offset: 2 }, recovered: false, reason }, eventId)
      t.same(subscriber.bodies, [])
      live.push(subscriber)
    }
  }
  await append(1)
  bring(3)
  await turn()
  for (const subscriber of live) t.same(subscriber.bodies, ['3'])
  t.equal(hub.counters.notRecovered, nonsense.length + elsewhere.length)
})

await t.test('says that history was trimmed', async (t) => {
  const { store, append, subscribe, id, epoch } = await streamRig(t)
  await append(3, { expiresAt: PAST })
  await append(3)
  await store.log.trim(new Date().toISOString(), 100)
  const trimmed = await subscribe({ kind: 'event-id', eventId: id(2) })
  t.same(trimmed.recovery, { position: { epoch, offset: 6 }, recovered: false, reason: 'history-trimmed' })
  t.same(trimmed.subscriber.bodies, [])
  const kept = await subscribe({ kind: 'event-id', eventId: id(3) })
  t.match(kept.recovery, { recovered: true })
  t.same(kept.subscriber.bodies, ['4', '5', '6'])
})

await t.test('says that all of history was trimmed', async (t) => {
  const { store, append, subscribe, id } = await streamRig(t)
  await append(3, { expiresAt: PAST })
  await store.log.trim(new Date().toISOString(), 100)
  const { recovery } = await subscribe({ kind: 'event-id', eventId: id(1) })
  t.match(recovery, { recovered: false, reason: 'history-trimmed' })
  t.match((await subscribe({ kind: 'event-id', eventId: id(3) })).recovery, { recovered: true })
  const history = await subscribe({ kind: 'history', count: 2 })
  t.same(history.subscriber.bodies, [])
})

await t.test('begins with the last so many, as far as they are kept', async (t) => {
  const { store, append, bring, subscribe, epoch } = await streamRig(t)
  await append(2, { expiresAt: PAST })
  await append(4)
  await store.log.trim(new Date().toISOString(), 100)
  for (const [count, bodies] of [
    [0, []],
    [1, ['6']],
    [3, ['4', '5', '6']],
    [5, ['3', '4', '5', '6']],
    [1000, ['3', '4', '5', '6']],
  ] as const) {
    const { recovery, subscriber, close } = await subscribe({ kind: 'history', count })
    t.same(recovery, { position: { epoch, offset: 6 } }, 'nothing was to be recovered')
    t.same(subscriber.bodies, bodies, `the last ${count}`)
    close()
  }
  const { subscriber } = await subscribe({ kind: 'history', count: 1 })
  await append(1)
  bring(7)
  await turn()
  t.same(subscriber.bodies, ['6', '7'])
})

await t.test('a destination without a stream cannot be resumed', async (t) => {
  const { hub } = await streamRig(t)
  for (const pattern of ['rooms.*', 'prices', '#']) {
    const subscriber = new RecordingSubscriber()
    const from = { kind: 'history', count: 3 } as const
    const target = { kind: 'topic', pattern } as const
    const { recovery } = await hub.subscribe({ target, destination: `/topic/${pattern}`, subscriber, from })
    t.same(recovery, { recovered: false, reason: 'not-a-stream' }, pattern)
  }
})

await t.test('resumes streams of users and private topics too', async (t) => {
  const { hub, store, epoch } = await streamRig(t)
  const places = [
    { target: { kind: 'private', topic: 'orders.o-1' }, destination: '/topic/orders.o-1' },
    {
      target: { kind: 'user', user: 'bob' },
      destination: '/user/queue/orders',
      userDestination: '/user/queue/orders',
    },
  ] as const
  for (const [i, place] of places.entries()) {
    const stream = ['/topic/orders.o-1', '/user/bob/queue/orders'][i] ?? ''
    await store.transact((tx) =>
      tx.appendEvents([
        { stream, address: {}, headers: ['a', 'b'], body: 'stored', createdAt: PAST, expiresAt: '2999' },
      ]),
    )
    const subscriber = new RecordingSubscriber()
    const { recovery } = await hub.subscribe({ ...place, subscriber, from: { kind: 'history', count: 1 } })
    t.equal(recovery.position?.offset, 1)
    t.not(recovery.position?.epoch, epoch)
    t.same(subscriber.bodies, ['stored'])
    t.same(subscriber.headers('destination'), [place.destination])
    t.same(subscriber.headers('a'), ['b'])
  }
})

await t.test('a client that another node had sent more brings this one up to date', async (t) => {
  const { append, bring, subscribe, id } = await streamRig(t)
  const behind = await subscribe()
  await append(6)
  bring(1)
  const ahead = await subscribe({ kind: 'event-id', eventId: id(4) })
  t.match(ahead.recovery, { recovered: true })
  await append(1)
  for (const offset of [2, 3, 4, 5, 6, 7]) bring(offset)
  await until(() => ahead.subscriber.bodies.length === 3)
  t.same(behind.subscriber.bodies, upTo(7))
  t.same(ahead.subscriber.bodies, ['5', '6', '7'])
})

await t.test('what is stored and relayed during a replay comes once, to everybody', async (t) => {
  const { append, bring, subscribe, id, hooks } = await streamRig(t)
  await append(150)
  const other = await subscribe()
  let reads = 0
  hooks.beforeRead = async () => {
    reads += 1
    if (reads > 3) return
    await append(50)
    bring(150 + (reads - 1) * 50 + 1)
  }
  const { subscriber, recovery } = await subscribe({ kind: 'event-id', eventId: id(0) })
  hooks.beforeRead = () => undefined
  await append(1)
  const last = (recovery.position?.offset ?? 0) + 1
  for (let offset = 151; offset <= 301; offset += 1) bring(offset)
  await until(() => subscriber.bodies.length >= 301 && other.subscriber.bodies.length >= 151)
  await turn()
  t.same(subscriber.bodies, upTo(301))
  t.same(other.subscriber.bodies, upTo(301, 151))
  t.ok(last > 151 && reads >= 2, 'the replay met writers')
})

await t.test('waits for a client that has to read first, and goes on where the stream then is', async (t) => {
  const { append, bring, subscribe, id, hooks } = await streamRig(t)
  const pad = ' '.repeat(20_000)
  await append(20, { pad })
  const other = await subscribe()
  const slow = new SlowSubscriber()
  const pages: number[] = []
  hooks.afterRead = (events) => void pages.push(events.length)
  const subscribed = subscribe({ kind: 'event-id', eventId: id(0) }, slow)
  await until(() => slow.asked === 1)
  t.ok(slow.bodies.length < 20, `only ${slow.bodies.length} were sent before it was asked for room`)
  await append(2, { pad })
  bring(21, { body: Buffer.from(`21${pad}`) })
  for (let asked = 1; slow.bodies.length < 22; asked += 1) {
    await until(() => slow.asked === asked)
    slow.read()
    await turn()
    await until(() => slow.asked > asked || slow.bodies.length >= 22)
  }
  slow.read()
  await subscribed
  bring(22, { body: Buffer.from(`22${pad}`) })
  await until(() => other.subscriber.bodies.length === 2)
  t.same(
    slow.bodies.map((body) => body.trim()),
    upTo(22),
  )
  t.ok(Math.max(...pages.slice(1)) < 10, `large events are read a few at a time: ${pages.join(' ')}`)
})

await t.test('reads nothing more for a client that has left', async (t) => {
  const { append, subscribe, id, hooks } = await streamRig(t)
  await append(250)
  const gone = new SlowSubscriber()
  const subscribed = subscribe({ kind: 'event-id', eventId: id(0) }, gone)
  await until(() => gone.asked === 1)
  gone.isAway = true
  gone.read()
  hooks.beforeRead = () => t.fail('the store was asked')
  const { close } = await subscribed
  t.equal(gone.bodies.length, 100)
  close()
})

await t.test('a client that leaves while the node catches up with it', async (t) => {
  const { append, subscribe, id, hooks } = await streamRig(t)
  await subscribe()
  await append(250)
  const gone = new SlowSubscriber()
  hooks.afterRead = () => {
    gone.isAway = true
  }
  const { close } = await subscribe({ kind: 'event-id', eventId: id(250) }, gone)
  t.same(gone.bodies, [])
  close()
})

await t.test('a replay that the store does not answer is refused, and holds nothing', async (t) => {
  const { hub, append, subscribe, id, hooks } = await streamRig(t)
  await append(2)
  hooks.beforeRead = () => {
    throw new MessageError('store-unavailable', 'the database does not answer')
  }
  await t.rejects(subscribe({ kind: 'event-id', eventId: id(0) }), { code: 'store-unavailable' })
  t.equal(hub.entryCount, 0)
})

await t.test('a hub that closes during a replay refuses it', async (t) => {
  const { hub, append, subscribe, id, hooks } = await streamRig(t)
  await append(2)
  hooks.beforeRead = () => hub.close()
  await t.rejects(subscribe({ kind: 'event-id', eventId: id(0) }), { code: 'broker-unavailable' })
})

await t.test('another database in the middle of a replay ends it', async (t) => {
  const { append, bring, subscribe, id, path, store, epoch, hub } = await streamRig(t)
  await append(150)
  const slow = new SlowSubscriber()
  const subscribed = subscribe({ kind: 'event-id', eventId: id(0) }, slow)
  await until(() => slow.asked === 1)
  const hand = new Database(path)
  t.teardown(() => hand.close())
  hand.exec("update settings set value = 'newepoch' where key = 'epoch'")
  bring(151, { eventId: `${epoch.replace(store.epoch, 'newepoch')}:151` })
  const live = await subscribe()
  await until(() => live.subscriber.bodies.length === 1)
  slow.read()
  const { recovery } = await subscribed
  t.match(recovery, { recovered: false, reason: 'unknown-epoch', position: { offset: 151 } })
  t.equal(slow.bodies.length, 100)
  t.equal(hub.counters.strangers, 0)
})
