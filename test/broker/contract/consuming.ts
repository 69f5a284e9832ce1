import type { Test } from 'tap'
import { header } from '../../../protocol/frame.ts'
import type { ConsumedMessage } from '../../../src/broker/broker.ts'
import { deferred } from '../../../src/lib/deferred.ts'
import { Inbox } from '../../support/inbox.ts'
import { message, openClient, openScene, text, texts, type MakeBroker } from './scene.ts'

export async function consuming(t: Test, makeBroker: MakeBroker): Promise<void> {
  await t.test('hands the intake what sessions and nodes put into a queue', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = name('q')
    const taken = new Inbox<ConsumedMessage>()
    const consumer = await broker.consume(queue, { prefetch: 10 }, async (each) => taken.push(each))
    t.teardown(async () => consumer.close())
    const client = await openClient(t, broker)
    await client.send(`/queue/${queue}`, 'from a session', { headers: ['x-own', 'ü'] })
    await taken.atLeast(1)
    await broker.publish(message({ kind: 'queue', queue }, 'from a node'))
    t.strictSame(texts(await taken.atLeast(2)), ['from a session', 'from a node'])
    t.equal(header(taken.items[0]!.headers, 'x-own'), 'ü')
    t.strictSame(
      taken.items.map((each) => each.isRedelivered),
      [false, false],
    )
  })

  await t.test('gives a message back when the handler rejects, and says so the next time', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const taken = new Inbox<ConsumedMessage>()
    const consumer = await broker.consume(name('q'), { prefetch: 1 }, async (each) => {
      taken.push(each)
      if (taken.items.length === 1) throw new Error('the store is away')
    })
    t.teardown(async () => consumer.close())
    for (const body of ['1', '2']) await broker.publish(message({ kind: 'queue', queue: name('q') }, body))
    t.strictSame(texts(await taken.atLeast(3)), ['1', '1', '2'])
    t.strictSame(
      taken.items.map((each) => each.isRedelivered),
      [false, true, false],
    )
  })

  await t.test('says how much waits in a queue, and how many take from it', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = name('deep')
    t.equal(await broker.queueDepth(queue), null, 'there is none of that name yet')
    await broker.publish(message({ kind: 'queue', queue }, '1'))
    await broker.publish(message({ kind: 'queue', queue }, '2'))
    t.strictSame(await broker.queueDepth(queue), { messages: 2, consumers: 0 })
    const taken = new Inbox<ConsumedMessage>()
    const consumer = await broker.consume(queue, { prefetch: 10 }, async (each) => taken.push(each))
    await taken.atLeast(2)
    t.strictSame(await broker.queueDepth(queue), { messages: 0, consumers: 1 })
    await consumer.close()
    t.strictSame(await Promise.all([broker.queueDepth(queue), broker.queueDepth(name('none'))]), [
      { messages: 0, consumers: 0 },
      null,
    ])
  })

  await t.test('runs no more handlers at once than prefetch says', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const started = new Inbox<ConsumedMessage>()
    const gates = Array.from({ length: 5 }, () => deferred())
    const consumer = await broker.consume(name('q'), { prefetch: 2 }, async (each) => {
      started.push(each)
      await gates[Number(text(each))]!.promise
    })
    t.teardown(async () => consumer.close())
    for (const index of gates.keys()) {
      await broker.publish(message({ kind: 'queue', queue: name('q') }, String(index)))
    }
    for (const [index, gate] of gates.entries()) {
      await started.atLeast(Math.min(index + 2, gates.length))
      t.ok(started.items.length <= index + 2, 'none began before one was done')
      gate.resolve()
    }
  })

  await t.test(
    'acknowledges what the handlers finished before close resolved, and keeps the rest',
    async (t) => {
      const { broker, name } = await openScene(t, makeBroker)
      const address = { kind: 'queue', queue: name('q') } as const
      const taken = new Inbox<ConsumedMessage>()
      const gate = deferred()
      const consumer = await broker.consume(name('q'), { prefetch: 1 }, async (each) => {
        taken.push(each)
        await gate.promise
      })
      for (const body of ['1', '2']) await broker.publish(message(address, body))
      await taken.atLeast(1)
      const closing = consumer.close()
      gate.resolve()
      await Promise.all([closing, consumer.close()])
      const done = texts(taken.items)
      t.ok(['1', '1,2'].includes(done.join()), 'the next one only where the queue is emptied first')
      const rest = new Inbox<ConsumedMessage>()
      const next = await broker.consume(name('q'), { prefetch: 10 }, async (each) => rest.push(each))
      t.teardown(async () => next.close())
      await broker.publish(message(address, 'end'))
      const left = ['1', '2', 'end'].slice(done.length)
      t.strictSame(texts(await rest.atLeast(left.length)), left)
    },
  )

  await t.test('hands each message to one consumer among all nodes', async (t) => {
    const scene = await openScene(t, makeBroker)
    const other = (await scene.secondNode?.()) ?? scene
    const taken = new Inbox<ConsumedMessage>()
    for (const { broker } of [scene, other]) {
      const consumer = await broker.consume(scene.name('q'), { prefetch: 1 }, async (each) =>
        taken.push(each),
      )
      t.teardown(async () => consumer.close())
    }
    const bodies = Array.from({ length: 40 }, (_, index) => String(index))
    for (const body of bodies) {
      await scene.broker.publish(message({ kind: 'queue', queue: scene.name('q') }, body))
    }
    await taken.atLeast(40)
    t.strictSame(
      texts(taken.items).toSorted((a, b) => Number(a) - Number(b)),
      bodies,
    )
  })
}
