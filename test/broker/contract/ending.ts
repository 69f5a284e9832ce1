import type { Test } from 'tap'
import { MessageError } from '../../../src/errors.ts'
import type { BrokerStatus } from '../../../src/broker/broker.ts'
import { message, openClient, openScene, text, type MakeBroker } from './scene.ts'

export async function ending(t: Test, makeBroker: MakeBroker): Promise<void> {
  await t.test('rejects every call on a closed session, and closes it but once', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    const { session } = client
    await client.subscribe(`/queue/${name('q')}`)
    await session.begin('tx')
    await Promise.all([session.close(), session.close()])
    await session.close()
    const calls = [
      async () => client.send(`/queue/${name('q')}`, 'x'),
      async () => client.subscribe(`/queue/${name('q')}`, { id: 'other' }),
      async () => session.unsubscribe(`/queue/${name('q')}`, []),
      async () => session.ack('x', {}),
      async () => session.nack('x', { requeue: true }),
      async () => session.begin('other'),
      async () => session.commit('tx'),
      async () => session.abort('tx'),
    ]
    for (const call of calls) await t.rejects(call)
    t.same(client.ends.items, [], 'the client closed it itself')
  })

  await t.test('leaves other sessions alone when one ends', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const [one, two] = [await openClient(t, broker), await openClient(t, broker)]
    for (const client of [one, two]) await client.subscribe(`/topic/${name('a')}`)
    await one.session.close()
    await two.send(`/topic/${name('a')}`, 'x')
    t.equal(text(await two.messages.at(0)), 'x')
    t.same(one.messages.items, [])
    t.same(two.ends.items, [])
  })

  await t.test('tells sessions when the broker is closed, and refuses everything after', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    const watch = await broker.watch({ kind: 'topic', pattern: name('a') })
    const consumer = await broker.consume(name('q'), { prefetch: 1 }, async () => {})
    await Promise.all([broker.close(), broker.close()])
    t.type(await client.ends.at(0), Error)
    t.equal(client.ends.items.length, 1)
    watch.close()
    await consumer.close()
    await t.rejects(client.send(`/queue/${name('q')}`, 'x'))
    await t.rejects(broker.publish(message({ kind: 'topic', topic: name('a') }, 'x')), MessageError)
    await t.rejects(broker.watch({ kind: 'topic', pattern: name('a') }))
    await t.rejects(broker.openSession({ name: 'ann' }, { onMessage() {}, onCancelled() {}, onEnd() {} }))
    await t.rejects(broker.consume(name('q'), { prefetch: 1 }, async () => {}))
  })

  await t.test('tells its status, and each change of it to who listens', async (t) => {
    const { broker } = await openScene(t, makeBroker)
    const seen: BrokerStatus[] = []
    const unheard: BrokerStatus[] = []
    broker.onStatus((status) => seen.push(status))
    const remove = broker.onStatus((status) => unheard.push(status))
    remove()
    t.ok(broker.status().isUp)
    await broker.close()
    t.notOk(broker.status().isUp)
    t.equal(seen.at(-1)?.isUp, false)
    t.type(seen.at(-1)?.detail, 'string')
    t.same(unheard, [])
  })
}
