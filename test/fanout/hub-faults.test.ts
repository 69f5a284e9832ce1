import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { WatchTarget } from '../../src/broker/broker.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { delivery, onTopic, onUser, startHub, topic } from '../support/start-hub.ts'

await t.test('rejects all who wait for a watch that the broker refuses, and keeps no trace', async (t) => {
  const { broker, hub } = await startHub(t)
  await broker.close()
  const both = [1, 2].map(async () =>
    hub.subscribe({ ...onTopic('a'), subscriber: new RecordingSubscriber() }),
  )
  for (const refused of both) await t.rejects(refused, { code: 'broker-unavailable' })
  t.equal(hub.entryCount, 0)
  const onPrivate: WatchTarget = { kind: 'private', topic: 'a' }
  const subscriber = new RecordingSubscriber()
  await t.rejects(hub.subscribe({ target: onPrivate, destination: '/topic/a', subscriber }))
  await t.rejects(hub.subscribe({ ...onUser('u'), subscriber }))
  t.equal(hub.entryCount, 0)
})

await t.test('goes on with the others when a subscriber throws', async (t) => {
  const failures: unknown[] = []
  const observer = {
    hole: () => {},
    storeFailed: () => undefined,
    subscriberFailed: (error: unknown) => void failures.push(error),
  }
  const { hub, publish } = await startHub(t, { observer })
  const [bad, good] = [new RecordingSubscriber(), new RecordingSubscriber()]
  const error = new Error('thrown by a subscriber')
  bad.onDeliver = () => {
    throw error
  }
  for (const subscriber of [bad, good]) await hub.subscribe({ ...onTopic('a'), subscriber })
  await publish(topic('a'), '1')
  await turn()
  t.same(good.bodies, ['1'])
  t.same(failures, [error])
  t.match(hub.counters, { subscriberFaults: 1, delivered: 1 })
})

await t.test('counts faults and holes with nobody to tell', async (t) => {
  const { hub, publish } = await startHub(t)
  const subscriber = new RecordingSubscriber()
  subscriber.onDeliver = () => {
    throw new Error('thrown by a subscriber')
  }
  await hub.subscribe({ ...onTopic('a'), subscriber })
  await publish(topic('a'), '1')
  await turn()
  hub.onHole('link lost')
  t.match(hub.counters, { subscriberFaults: 1, holes: 1 })
})

await t.test('tells the observer of a hole', async (t) => {
  const holes: string[] = []
  const observer = {
    hole: (reason: string) => void holes.push(reason),
    storeFailed: () => undefined,
    subscriberFailed: () => {},
  }
  const { hub } = await startHub(t, { observer })
  hub.onHole('link lost')
  t.same(holes, ['link lost'])
})

await t.test('keeps the order for all when subscribers act inside deliver', async (t) => {
  const { hub } = await startHub(t, { limits: { pendingMessages: 2 } })
  const [first, second] = [new RecordingSubscriber(), new RecordingSubscriber()]
  const [one] = [await hub.subscribe({ ...onTopic('a'), subscriber: first })]
  await hub.subscribe({ ...onTopic('a'), subscriber: second })
  first.onDeliver = () => {
    first.onDeliver = () => {}
    // Reaches the bound, in the middle of handing out the batch before.
    for (const body of ['2', '3']) hub.onMessage(delivery('a', body))
    one.close()
  }
  hub.onMessage(delivery('a', '1'))
  await turn()
  await turn()
  t.same(second.bodies, ['1', '2', '3'])
  t.same(first.bodies, ['1'], 'who leaves inside deliver gets nothing more')
})

await t.test('flushes others, but not itself, when deliver leads back to the bound', async (t) => {
  const { hub } = await startHub(t, { limits: { pendingMessages: 3 } })
  const [first, second, elsewhere] = [1, 2, 3].map(() => new RecordingSubscriber())
  await hub.subscribe({ ...onTopic('a'), subscriber: first! })
  await hub.subscribe({ ...onTopic('a'), subscriber: second! })
  await hub.subscribe({ ...onTopic('b'), subscriber: elsewhere! })
  first!.onDeliver = () => {
    first!.onDeliver = () => {}
    hub.onMessage(delivery('a', '2'))
    hub.onMessage(delivery('b', 'x'))
    t.same(elsewhere!.bodies, ['x'])
    t.same(second!.bodies, [], 'the first batch comes first')
  }
  hub.onMessage(delivery('a', '1'))
  const join = await hub.subscribe({ ...onTopic('a'), subscriber: new RecordingSubscriber() })
  await turn()
  await turn()
  t.same(first!.bodies, ['1', '2'])
  t.same(second!.bodies, ['1', '2'])
  join.close()
})

await t.test('delivers what is pending when it closes, and then does nothing more', async (t) => {
  const { hub, publish, broker } = await startHub(t)
  const [subscriber, tooLate] = [new RecordingSubscriber(), new RecordingSubscriber()]
  const subscription = await hub.subscribe({ ...onTopic('a'), subscriber })
  hub.onMessage(delivery('a', '1'))
  const waiting = hub.subscribe({ ...onTopic('b'), subscriber: tooLate })
  hub.close()
  t.same(subscriber.bodies, ['1'])
  await t.rejects(waiting, { code: 'broker-unavailable' })
  await t.rejects(hub.subscribe({ ...onTopic('a'), subscriber }), { code: 'broker-unavailable' })
  hub.close()
  hub.onMessage(delivery('a', '2'))
  subscription.close()
  await turn()
  for (const name of ['a', 'b']) await publish(topic(name), '3')
  await turn()
  t.same([subscriber.bodies, tooLate.bodies], [['1'], []])
  t.equal(hub.counters.received, 2, 'no watch is left at the broker')
  t.ok(broker.status().isUp)
})
