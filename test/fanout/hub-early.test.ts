import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { STREAM, streamRig } from '../support/stream-rig.ts'
import { until } from '../support/until.ts'

const ADDRESS = { kind: 'topic', topic: STREAM.slice('/topic/'.length) } as const

async function rig(...args: Parameters<typeof streamRig>) {
  const made = await streamRig(...args)
  const { hub, id } = made
  const early = (offset: number, eventId = id(offset)): void =>
    hub.onStored({ address: ADDRESS, headers: [], body: Buffer.from(String(offset)), eventId })
  return { ...made, early }
}

await t.test('delivers what was just stored, and drops what the broker brings of it', async (t) => {
  const { hub, append, early, bring, subscribe, id } = await rig(t)
  const { subscriber } = await subscribe()
  await append(3)
  early(1)
  early(2)
  await turn()
  t.same(subscriber.bodies, ['1', '2'])
  for (const offset of [1, 2, 3]) bring(offset)
  early(3)
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3'])
  t.same(subscriber.headers('event-id'), [1, 2, 3].map(id))
  t.match(hub.counters, { early: 2, duplicates: 3, gaps: 0, received: 3 })
})

await t.test(
  'keeps the order where another node stored in between, and fills what does not come',
  async (t) => {
    const { hub, append, early, bring, subscribe } = await rig(t)
    const { subscriber } = await subscribe()
    await append(5)
    early(2)
    early(3)
    await turn()
    t.same(subscriber.bodies, [])
    bring(1)
    await turn()
    t.same(subscriber.bodies, ['1', '2', '3'])
    early(5)
    await until(() => subscriber.bodies.length === 5)
    t.same(subscriber.bodies, ['1', '2', '3', '4', '5'])
    t.match(hub.counters, { gaps: 1, filled: 1 })
  },
)

await t.test('leaves it to the broker where there is no gate, or none that is open', async (t) => {
  const { hub, append, early, bring, subscribe, hooks } = await rig(t)
  early(1)
  const pattern = new RecordingSubscriber()
  const target = { kind: 'topic', pattern: 'rooms.*' } as const
  await hub.subscribe({ target, destination: '/topic/rooms.*', subscriber: pattern })
  await append(2)
  hooks.beforeHeads = () => early(1)
  const { subscriber } = await subscribe()
  await turn()
  t.match(hub.counters, { early: 0 })
  bring(1)
  bring(2)
  await turn()
  t.same(pattern.bodies, ['1', '2'])
  t.same(subscriber.bodies, [], 'both were stored before')
})

await t.test('what is stored while a stranger is found out is none', async (t) => {
  const { hub, append, early, bring, subscribe, hooks, id } = await rig(t)
  const { subscriber } = await subscribe()
  await append(1)
  bring(1)
  hooks.afterHeads = async (heads) => {
    hooks.afterHeads = (same) => same
    await append(2)
    early(3)
    return heads
  }
  bring(7)
  await until(() => hub.counters.strangers === 1)
  early(2)
  await until(() => subscriber.bodies.length === 4)
  t.same(subscriber.bodies, ['1', '7', '2', '3'])
  t.same(subscriber.headers('event-id'), [id(1), undefined, id(2), id(3)])
})

await t.test('takes nothing of another epoch', async (t) => {
  const { hub, early, subscribe, append } = await rig(t)
  const { subscriber } = await subscribe()
  await append(1)
  early(1, 'other:1')
  await turn()
  t.same(subscriber.bodies, [])
  t.equal(hub.counters.early, 0)
})

await t.test('sends at once what would be too much for a turn', async (t) => {
  const { append, early, subscribe } = await rig(t, { limits: { pendingMessages: 2 } })
  const { subscriber } = await subscribe()
  await append(3)
  for (const offset of [1, 2, 3]) early(offset)
  t.same(subscriber.bodies, ['1', '2'])
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3'])
})
