import { setImmediate as turn } from 'node:timers/promises'
import Database from 'libsql'
import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { STREAM, streamRig } from '../support/stream-rig.ts'
import { until } from '../support/until.ts'

const away = new MessageError('store-unavailable', 'the database does not answer')

await t.test('a stranger passes without its event id', async (t) => {
  const { hub, append, bring, subscribe } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(1)
  bring(7)
  await until(() => subscriber.bodies.length === 2)
  for (const eventId of ['other:1', 'nonsense', 'x:y']) {
    bring(1, { eventId, body: Buffer.from(eventId) })
  }
  await until(() => subscriber.bodies.length === 5)
  t.same(subscriber.bodies.toSorted(), ['1', '7', 'nonsense', 'other:1', 'x:y'])
  t.same(
    subscriber.headers('event-id').filter((each) => each !== undefined).length,
    1,
    'only the event has one',
  )
  t.equal(hub.counters.strangers, 4)
})

await t.test('an offset that is no number is a stranger too', async (t) => {
  const { bring, subscribe, epoch } = await streamRig(t)
  const { subscriber } = await subscribe()
  bring(1, { eventId: `${epoch}:one` })
  bring(1, { eventId: `${epoch}:1.5` })
  await until(() => subscriber.bodies.length === 2)
  t.same(subscriber.headers('event-id'), [undefined, undefined])
})

await t.test('messages that are no events pass at once, past any hole', async (t) => {
  const { append, bring, subscribe, hub } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(2)
  bring(2)
  hub.onMessage({ address: { kind: 'topic', topic: 'rooms.kitchen' }, headers: [], body: Buffer.from('x') })
  await turn()
  t.same(subscriber.bodies, ['x'])
  await until(() => subscriber.bodies.length === 3)
})

await t.test('a wildcard gets events as they come', async (t) => {
  const { append, bring, hub } = await streamRig(t)
  const subscriber = new RecordingSubscriber()
  const target = { kind: 'topic', pattern: 'rooms.*' } as const
  const { recovery } = await hub.subscribe({ target, destination: '/topic/rooms.*', subscriber })
  t.same(recovery, {})
  await append(2)
  for (const offset of [2, 1, 1]) bring(offset)
  await turn()
  t.same(subscriber.bodies, ['2', '1', '1'])
})

await t.test('a store that is away refuses the first subscriber, and not the next', async (t) => {
  const { append, bring, subscribe, hooks, hub } = await streamRig(t)
  hooks.beforeHeads = () => {
    throw away
  }
  await t.rejects(Promise.all([subscribe(), subscribe()]), { code: 'store-unavailable' })
  t.equal(hub.entryCount, 0)
  hooks.beforeHeads = () => undefined
  const { subscriber } = await subscribe()
  await append(1)
  bring(1)
  await turn()
  t.same(subscriber.bodies, ['1'])
})

await t.test('a hole waits for the store to come back', async (t) => {
  const { append, bring, subscribe, hooks, faults } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(3)
  let tries = 0
  hooks.beforeRead = () => {
    tries += 1
    if (tries < 3) throw away
  }
  bring(2)
  await until(() => tries === 1)
  bring(3)
  await until(() => subscriber.bodies.length === 3)
  t.same(subscriber.bodies, ['1', '2', '3'])
  t.same(faults, [away, away])
})

await t.test('nobody is left: nothing is read, and nothing is sent', async (t) => {
  const { append, bring, subscribe, hooks, hub } = await streamRig(t)
  const { close, subscriber } = await subscribe()
  await append(3)
  const asked = deferred()
  const go = deferred()
  hooks.beforeRead = () => {
    asked.resolve()
    return go.promise
  }
  bring(3)
  await asked.promise
  close()
  go.resolve()
  await turn()
  bring(1)
  await turn()
  t.same(subscriber.bodies, [])
  t.equal(hub.entryCount, 0)
})

await t.test('nobody is left while the head is read, or the store is away', async (t) => {
  const { append, bring, subscribe, hooks, hub } = await streamRig(t)
  const { close } = await subscribe()
  await append(1)
  const asked = deferred()
  const go = deferred()
  hooks.beforeRead = () => (hooks.beforeHeads = () => (asked.resolve(), go.promise))
  bring(9)
  await asked.promise
  close()
  go.resolve()
  await turn()
  t.equal(hub.entryCount, 0)
  hooks.beforeHeads = () => undefined
  const next = await subscribe()
  const failed = deferred()
  hooks.beforeRead = () => {
    failed.resolve()
    throw away
  }
  bring(3)
  await failed.promise
  next.close()
  t.equal(hub.entryCount, 0)
})

await t.test('a store that went back behind what it said is believed', async (t) => {
  const { hub, append, bring, subscribe, hooks } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(5)
  for (const offset of [1, 2, 3, 4, 5]) bring(offset)
  hooks.afterHeads = () => new Map([[STREAM, 2]])
  hub.compare()
  await until(() => hub.counters.rewound === 1)
  bring(3, { body: Buffer.from('another 3') })
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3', '4', '5', 'another 3'])
})

await t.test('goes on with another database in the place of the one that was', async (t) => {
  const { hub, path, append, bring, subscribe, epoch, store } = await streamRig(t)
  const { subscriber } = await subscribe()
  const target = { kind: 'topic', pattern: 'rooms.other' } as const
  await hub.subscribe({ target, destination: '/topic/rooms.other', subscriber: new RecordingSubscriber() })
  await append(2)
  bring(1)
  bring(2)
  const hand = new Database(path)
  t.teardown(() => hand.close())
  hand.exec("update settings set value = 'newepoch' where key = 'epoch'")
  await append(2)
  const idOf = (offset: number): string => `${epoch.replace(store.epoch, 'newepoch')}:${offset}`
  bring(3, { eventId: idOf(3) })
  bring(4, { eventId: idOf(4) })
  await until(() => subscriber.bodies.length === 4)
  t.same(subscriber.bodies, ['1', '2', '3', '4'])
  t.equal(hub.counters.strangers, 0)
  t.match(subscriber.headers('event-id')[2], /^newepoch/)
})

await t.test('a store that cannot say its epoch: a stranger, for now', async (t) => {
  const { bring, subscribe, hooks, faults } = await streamRig(t)
  const { subscriber } = await subscribe()
  hooks.beforeEpoch = () => {
    throw away
  }
  bring(1, { eventId: 'other:1' })
  await until(() => subscriber.bodies.length === 1)
  t.same(subscriber.headers('event-id'), [undefined])
  t.same(faults, [away])
})
