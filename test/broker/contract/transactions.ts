import type { Test } from 'tap'
import { openClient, openScene, texts, type MakeBroker } from './scene.ts'

export async function transactions(t: Test, makeBroker: MakeBroker): Promise<void> {
  await t.test('holds SENDs until COMMIT, then sends them in their order', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = `/queue/${name('q')}`
    const client = await openClient(t, broker)
    await client.subscribe(queue)
    await client.session.begin('tx')
    await client.send(queue, '2', { transaction: 'tx' })
    await client.send(queue, '3', { transaction: 'tx', confirm: false })
    await client.send(queue, '1')
    await client.messages.atLeast(1)
    await client.session.commit('tx')
    t.strictSame(texts(await client.messages.atLeast(3)), ['1', '2', '3'])
  })

  await t.test('drops at ABORT what the transaction held', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = `/queue/${name('q')}`
    const client = await openClient(t, broker)
    await client.subscribe(queue)
    for (const end of ['abort', 'commit'] as const) {
      await client.session.begin('tx')
      await client.send(queue, end, { transaction: 'tx' })
      await client.session[end]('tx')
    }
    t.strictSame(texts(await client.messages.atLeast(1)), ['commit'])
  })

  await t.test('keeps two transactions apart', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = `/queue/${name('q')}`
    const client = await openClient(t, broker)
    await client.subscribe(queue)
    for (const id of ['a', 'b']) await client.session.begin(id)
    for (const id of ['a', 'b', 'a']) await client.send(queue, id, { transaction: id })
    await client.session.commit('b')
    await client.session.commit('a')
    t.strictSame(texts(await client.messages.atLeast(3)), ['b', 'a', 'a'])
  })

  await t.test('acknowledges at COMMIT, and not after ABORT', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const queue = `/queue/${name('q')}`
    const client = await openClient(t, broker)
    for (const body of ['1', '2']) await client.send(queue, body)
    await client.subscribe(queue, { ack: 'client-individual' })
    await client.messages.atLeast(2)
    for (const [index, end] of (['abort', 'commit'] as const).entries()) {
      await client.session.begin('tx')
      await client.ack(index, 'tx')
      await client.session[end]('tx')
    }
    await client.session.close()
    const next = await openClient(t, broker)
    await next.send(queue, 'end')
    await next.subscribe(queue)
    t.strictSame(texts(await next.messages.atLeast(2)), ['1', 'end'])
  })

  await t.test('knows no transaction that has not begun, or is over', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    const queue = `/queue/${name('q')}`
    await t.rejects(client.session.commit('tx'), { code: 'unknown-transaction' })
    await t.rejects(client.session.abort('tx'), { code: 'unknown-transaction' })
    await t.rejects(client.send(queue, 'x', { transaction: 'tx' }), { code: 'unknown-transaction' })
    await client.session.begin('tx')
    await client.session.commit('tx')
    await t.rejects(client.session.commit('tx'), { code: 'unknown-transaction' })
    await client.subscribe(queue)
    await client.send(queue, 'alive')
    t.strictSame(texts(await client.messages.atLeast(1)), ['alive'])
  })
}
