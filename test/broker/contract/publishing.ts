import type { Test } from 'tap'
import { header } from '../../../protocol/frame.ts'
import type { Address, WatchTarget } from '../../../src/broker/broker.ts'
import { message, openClient, openScene, text, texts, type MakeBroker } from './scene.ts'

const PAIRS: readonly (readonly [string, (name: string) => WatchTarget, (name: string) => Address])[] = [
  ['topic', (pattern) => ({ kind: 'topic', pattern }), (topic) => ({ kind: 'topic', topic })],
  ['private name', (topic) => ({ kind: 'private', topic }), (topic) => ({ kind: 'private', topic })],
  [
    'user',
    (user) => ({ kind: 'user', user }),
    (user) => ({ kind: 'user', user, destination: '/user/queue/orders' }),
  ],
]

export async function publishing(t: Test, makeBroker: MakeBroker): Promise<void> {
  for (const [kind, targetOf, addressOf] of PAIRS) {
    await t.test(`delivers what is published to a ${kind} once its watch has resolved`, async (t) => {
      const { broker, deliveries, name } = await openScene(t, makeBroker)
      const address = addressOf(name('a'))
      await broker.publish(message(address, 'before the watch'))
      await broker.watch(targetOf(name('a')))
      const headers = ['content-type', 'text/plain', 'x-odd', 'a:b\\c\nd ü']
      await broker.publish(message(address, 'grüße', { headers, eventId: 'epoch:7' }))
      const delivery = await deliveries.at(0)
      t.same(delivery.address, address)
      t.equal(text(delivery), 'grüße')
      t.equal(delivery.eventId, 'epoch:7')
      t.equal(header(delivery.headers, 'content-type'), 'text/plain')
      t.equal(header(delivery.headers, 'x-odd'), 'a:b\\c\nd ü')
    })

    await t.test(`keeps the order of publish calls to a ${kind}`, async (t) => {
      const { broker, deliveries, name } = await openScene(t, makeBroker)
      await broker.watch(targetOf(name('a')))
      const bodies = Array.from({ length: 300 }, (_, index) => String(index))
      await Promise.all(bodies.map(async (body) => broker.publish(message(addressOf(name('a')), body))))
      t.strictSame(texts(await deliveries.atLeast(300)), bodies)
    })

    await t.test(`watches a ${kind} again that was let go`, async (t) => {
      const { broker, deliveries, name } = await openScene(t, makeBroker)
      for (const body of ['1', '2', '3']) {
        const watch = await broker.watch(targetOf(name('a')))
        await broker.publish(message(addressOf(name('a')), body))
        await deliveries.atLeast(Number(body))
        watch.close()
      }
      t.strictSame(texts(deliveries.items), ['1', '2', '3'])
    })

    await t.test(`counts equal watches of a ${kind}; one closed twice counts once`, async (t) => {
      const { broker, deliveries, name } = await openScene(t, makeBroker)
      const target = targetOf(name('a'))
      const [one] = await Promise.all([broker.watch(target), broker.watch(target)])
      one?.close()
      one?.close()
      await broker.publish(message(addressOf(name('a')), 'still watched'))
      t.equal(text(await deliveries.at(0)), 'still watched')
      t.equal(deliveries.items.length, 1)
    })
  }

  await t.test('carries any bytes, and none', async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    await broker.watch({ kind: 'topic', pattern: name('a') })
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const address: Address = { kind: 'topic', topic: name('a') }
    for (const body of [bytes, new Uint8Array(0)]) await broker.publish(message(address, '', { body }))
    await deliveries.atLeast(2)
    t.same(
      deliveries.items.map(({ body }) => [...body]),
      [[...bytes], []],
    )
    t.equal(deliveries.items[0]?.eventId, undefined)
  })

  await t.test('matches wildcards, and delivers once what several watches want', async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    const root = name('a')
    for (const pattern of [`${root}.*.c`, `${root}.#`, `${root}.b.c`]) {
      await broker.watch({ kind: 'topic', pattern })
    }
    for (const topic of [`${root}.b.c`, root, `${root}.x.y.z`, `${root}x`, `${root}.end`]) {
      await broker.publish(message({ kind: 'topic', topic }, topic))
    }
    t.strictSame(texts(await deliveries.atLeast(4)), [`${root}.b.c`, root, `${root}.x.y.z`, `${root}.end`])
  })

  await t.test('keeps private names apart from topics and wildcards', async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    const topic = name('orders')
    await broker.watch({ kind: 'topic', pattern: '#' })
    await broker.publish(message({ kind: 'private', topic }, 'secret, unwatched'))
    await broker.watch({ kind: 'private', topic })
    await broker.publish(message({ kind: 'private', topic }, 'secret'))
    await broker.publish(message({ kind: 'topic', topic }, 'public'))
    await broker.publish(message({ kind: 'private', topic: `${topic}.*` }, 'literal, unwatched'))
    await broker.publish(message({ kind: 'private', topic }, 'end'))
    await deliveries.atLeast(3)
    const seen = deliveries.items.map((delivery) => `${delivery.address.kind} ${text(delivery)}`).toSorted()
    t.strictSame(seen, ['private end', 'private secret', 'topic public'])
  })

  await t.test("delivers one user's messages only", async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    await broker.watch({ kind: 'user', user: name('ann') })
    for (const user of ['bob', 'ann', 'ann.x', 'ann']) {
      const address: Address = { kind: 'user', user: name(user), destination: `/user/queue/of-${user}` }
      await broker.publish(message(address, user))
    }
    t.strictSame(texts(await deliveries.atLeast(2)), ['ann', 'ann'])
  })

  await t.test('keeps what is published to a queue until someone reads it', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = name('q')
    for (const body of ['1', '2', '3']) {
      await broker.publish(message({ kind: 'queue', queue }, body, { persistent: true }))
    }
    const client = await openClient(t, broker)
    await client.subscribe(`/queue/${queue}`)
    t.strictSame(texts(await client.messages.atLeast(3)), ['1', '2', '3'])
  })

  await t.test('delivers what another node publishes', async (t) => {
    const { broker, deliveries, name, secondNode } = await openScene(t, makeBroker)
    if (secondNode === undefined) {
      t.pass('this broker has one node only')
      return
    }
    const other = await secondNode()
    for (const [, targetOf, addressOf] of PAIRS) {
      await other.broker.watch(targetOf(name('a')))
      await broker.publish(message(addressOf(name('a')), 'across', { eventId: 'e:1' }))
    }
    t.strictSame(
      (await other.deliveries.atLeast(3)).map(({ eventId }) => eventId),
      ['e:1', 'e:1', 'e:1'],
    )
    t.same(deliveries.items, [], 'who does not watch gets nothing')
  })
}
