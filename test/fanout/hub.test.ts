import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { WatchTarget } from '../../src/broker/broker.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { delivery, onTopic, onUser, startHub, topic } from '../support/start-hub.ts'

await t.test('delivers what is published once subscribe has resolved', async (t) => {
  const { hub, publish } = await startHub(t)
  const subscriber = new RecordingSubscriber('my id')
  await publish(topic('a'), 'before')
  await hub.subscribe({ ...onTopic('a'), subscriber })
  await publish(topic('a'), 'after', { headers: ['content-type', 'text/plain', 'x', 'y'], eventId: 'e:1' })
  await publish(topic('b'), 'elsewhere')
  await turn()
  t.same(subscriber.frames, [
    {
      command: 'MESSAGE',
      headers: [
        'subscription',
        'my id',
        'destination',
        '/topic/a',
        'message-id',
        'node-1-1',
        'event-id',
        'e:1',
        'content-type',
        'text/plain',
        'x',
        'y',
        'content-length',
        '5',
      ],
      body: Buffer.from('after'),
    },
  ])
  t.match(hub.counters, { received: 1, delivered: 1, flushes: 1 })
})

await t.test('hands one batch a turn, the same one, to all with the same id and version', async (t) => {
  const { hub, publish } = await startHub(t)
  const alike = [new RecordingSubscriber('sub-0'), new RecordingSubscriber('sub-0')]
  const others = [new RecordingSubscriber('sub-1'), new RecordingSubscriber('sub-0', '1.0')]
  for (const subscriber of [...alike, ...others]) await hub.subscribe({ ...onTopic('a'), subscriber })
  await publish(topic('a'), '1')
  await publish(topic('a'), '2', { headers: ['a:b', 'c\nd'] })
  await turn()
  for (const subscriber of [...alike, ...others]) {
    t.equal(subscriber.batches.length, 1)
    t.same(subscriber.bodies, ['1', '2'])
  }
  t.equal(alike[0]?.batches[0], alike[1]?.batches[0], 'one batch for those alike')
  t.same(others[0]?.headers('subscription'), ['sub-1', 'sub-1'])
  t.equal(hub.counters.delivered, 8)
  await publish(topic('a'), '3')
  await turn()
  t.equal(alike[0]?.batches.length, 2)
  t.equal(new Set(alike[0]?.headers('message-id')).size, 3)
})

await t.test('keeps groups apart whose traits only look alike when strung together', async (t) => {
  const { hub, publish } = await startHub(t)
  const one = new RecordingSubscriber('x1 a')
  const two = new RecordingSubscriber('a')
  const common = {
    target: { kind: 'user', user: 'u' } satisfies WatchTarget,
    userDestination: '/user/queue/q',
  }
  await hub.subscribe({ ...common, destination: '/q', subscriber: one })
  await hub.subscribe({ ...common, destination: '/qx1 ', subscriber: two })
  await publish({ kind: 'user', user: 'u', destination: '/user/queue/q' }, 'm')
  await turn()
  t.same([one.headers('destination'), two.headers('destination')], [['/q'], ['/qx1 ']])
  t.same([one.headers('subscription'), two.headers('subscription')], [['x1 a'], ['a']])
})

await t.test('does not wait for the end of the turn once much is pending', async (t) => {
  const { hub } = await startHub(t, { limits: { pendingMessages: 3, pendingBytes: 10_000 } })
  const subscriber = new RecordingSubscriber()
  await hub.subscribe({ ...onTopic('a'), subscriber })
  for (const body of ['1', '2']) hub.onMessage(delivery('a', body))
  t.same(subscriber.bodies, [])
  hub.onMessage(delivery('a', '3'))
  t.same(subscriber.bodies, ['1', '2', '3'], 'three messages are the bound')
  hub.onMessage(delivery('a', '4'))
  t.equal(subscriber.bodies.length, 3, 'the count begins anew')
  hub.onMessage({ ...delivery('a', 'x'.repeat(6_000)), headers: ['h', 'y'.repeat(6_000)] })
  t.equal(subscriber.bodies.length, 5, 'headers and body weigh')
  hub.onMessage(delivery('a', '6'))
  t.equal(subscriber.bodies.length, 5, 'the weight begins anew')
  await turn()
  t.equal(subscriber.bodies.length, 6)
  t.equal(subscriber.batches.length, 3)
})

await t.test('does no work for a target that nobody is attached to yet, or any more', async (t) => {
  const { hub } = await startHub(t)
  const subscription = await hub.subscribe({ ...onTopic('a'), subscriber: new RecordingSubscriber() })
  const joining = hub.subscribe({ ...onTopic('a'), subscriber: new RecordingSubscriber('sub-1') })
  subscription.close()
  hub.onMessage(delivery('a', 'x'))
  await joining
  await turn()
  t.match(hub.counters, { received: 1, delivered: 0, flushes: 0 })
})

await t.test('matches wildcards, each pattern for itself', async (t) => {
  const { hub, publish } = await startHub(t, { limits: { rememberedTopics: 1 } })
  const subscribers = {
    'a.b': new RecordingSubscriber(),
    'a.*': new RecordingSubscriber(),
    'a.#': new RecordingSubscriber(),
  }
  for (const [pattern, subscriber] of Object.entries(subscribers)) {
    await hub.subscribe({ ...onTopic(pattern), subscriber })
  }
  for (const name of ['a.b', 'a', 'a.b', 'a.b.c', 'b']) await publish(topic(name), name)
  await turn()
  t.same(subscribers['a.b'].bodies, ['a.b', 'a.b'])
  t.same(subscribers['a.*'].bodies, ['a.b', 'a.b'])
  t.same(subscribers['a.#'].headers('destination'), ['/topic/a.b', '/topic/a', '/topic/a.b', '/topic/a.b.c'])
  t.equal(hub.counters.received, 4, 'the broker hands a message over once')
})

await t.test('keeps private names out of the reach of topics and wildcards', async (t) => {
  const { hub, publish } = await startHub(t)
  const [wild, plain, own] = [new RecordingSubscriber(), new RecordingSubscriber(), new RecordingSubscriber()]
  await hub.subscribe({ ...onTopic('#'), subscriber: wild })
  await hub.subscribe({ ...onTopic('orders.1'), subscriber: plain })
  const target: WatchTarget = { kind: 'private', topic: 'orders.1' }
  const subscription = await hub.subscribe({ target, destination: '/topic/orders.1', subscriber: own })
  await publish({ kind: 'private', topic: 'orders.1' }, 'secret')
  await publish(topic('orders.1'), 'forged')
  await turn()
  t.same(own.bodies, ['secret'])
  t.same(own.headers('destination'), ['/topic/orders.1'])
  t.same([wild.bodies, plain.bodies], [['forged'], ['forged']])
  subscription.close()
  await turn()
  await publish({ kind: 'private', topic: 'orders.1' }, 'late')
  t.equal(hub.counters.received, 2)
})

await t.test(
  'gives a user subscription its own destination of that user, shown as the client wrote it',
  async (t) => {
    const { hub, publish } = await startHub(t)
    const [orders, shownOtherwise, all] = [
      new RecordingSubscriber(),
      new RecordingSubscriber(),
      new RecordingSubscriber(),
    ]
    const narrowed = { ...onUser('ann'), userDestination: '/user/queue/orders' }
    const subscriptions = [
      await hub.subscribe({ ...narrowed, destination: '/user/queue/orders', subscriber: orders }),
      await hub.subscribe({ ...narrowed, destination: '/user/ann/queue/orders', subscriber: shownOtherwise }),
      await hub.subscribe({ ...onUser('ann'), subscriber: all }),
    ]
    await publish({ kind: 'user', user: 'ann', destination: '/user/queue/orders' }, 'order')
    await publish({ kind: 'user', user: 'ann', destination: '/user/queue/errors' }, 'error')
    await publish({ kind: 'user', user: 'bob', destination: '/user/queue/orders' }, 'of bob')
    await turn()
    t.same(orders.bodies, ['order'])
    t.same(orders.headers('destination'), ['/user/queue/orders'])
    t.same(shownOtherwise.headers('destination'), ['/user/ann/queue/orders'])
    t.same(all.headers('destination'), ['/user/queue/orders', '/user/queue/errors'])
    t.equal(hub.entryCount, 2)
    for (const subscription of subscriptions) subscription.close()
    t.equal(hub.entryCount, 0)
    await turn()
    await publish({ kind: 'user', user: 'ann', destination: '/user/queue/orders' }, 'late')
    hub.onMessage({
      address: { kind: 'user', user: 'ann', destination: 'x' },
      headers: [],
      body: Buffer.from(''),
    })
    await turn()
    t.equal(all.batches.length, 1)
  },
)

await t.test('tells which frames a text frame cannot carry', async (t) => {
  const { hub, publish } = await startHub(t)
  const subscriber = new RecordingSubscriber()
  await hub.subscribe({ ...onTopic('a'), subscriber })
  await publish(topic('a'), 'grüße')
  await publish(topic('a'), 'plain', { headers: ['content-type', 'application/octet-stream'] })
  await publish(topic('a'), '', { body: Uint8Array.of(0xff, 0xfe) })
  await turn()
  t.same(
    subscriber.batches.flatMap((batch) => batch.frames.map(({ isText }) => isText)),
    [true, false, false],
  )
})

await t.test('shares one watch among subscribers, and ends it with the last of them', async (t) => {
  const { hub, publish } = await startHub(t)
  const [first, second] = [new RecordingSubscriber(), new RecordingSubscriber()]
  const [one, two] = await Promise.all([
    hub.subscribe({ ...onTopic('a'), subscriber: first }),
    hub.subscribe({ ...onTopic('a'), subscriber: second }),
  ])
  t.equal(hub.entryCount, 1)
  await publish(topic('a'), '1')
  one.close()
  one.close()
  await publish(topic('a'), '2')
  await turn()
  t.same([first.bodies, second.bodies], [['1'], ['1', '2']])
  two.close()
  t.equal(hub.entryCount, 0)
  await turn()
  await publish(topic('a'), '3')
  await turn()
  t.equal(hub.counters.received, 2, 'the broker was told')
})

await t.test('sends what came before a join or a leave to those who were there', async (t) => {
  const { hub } = await startHub(t)
  const [early, late, otherId] = [
    new RecordingSubscriber(),
    new RecordingSubscriber(),
    new RecordingSubscriber('sub-1'),
  ]
  const joining = hub.subscribe({ ...onTopic('a'), subscriber: early })
  hub.onMessage(delivery('a', '0'))
  const stay = await joining
  hub.onMessage(delivery('a', '1'))
  const join = hub.subscribe({ ...onTopic('a'), subscriber: late })
  hub.onMessage(delivery('a', '2'))
  await join
  const other = hub.subscribe({ ...onTopic('a'), subscriber: otherId })
  hub.onMessage(delivery('a', '3'))
  await other
  hub.onMessage(delivery('a', '4'))
  stay.close()
  hub.onMessage(delivery('a', '5'))
  t.same(early.bodies, ['1', '2', '3', '4'], 'before the turn has ended')
  await turn()
  t.same(early.bodies, ['1', '2', '3', '4'])
  t.same(late.bodies, ['3', '4', '5'])
  t.same(otherId.bodies, ['4', '5'])
})
