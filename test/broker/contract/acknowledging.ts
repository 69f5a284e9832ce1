import type { Test } from 'tap'
import { isRedelivered, openClient, openScene, texts, type MakeBroker } from './scene.ts'

export async function acknowledging(t: Test, makeBroker: MakeBroker): Promise<void> {
  /** A client that reads a fresh queue holding `1`, `2`, `3`, and a function that tells what is left in it. */
  const reading = async (
    t: Test,
    ack: 'auto' | 'client' | 'client-individual',
    headers: readonly string[] = [],
  ) => {
    const scene = await openScene(t, makeBroker)
    const queue = `/queue/${scene.name('q')}`
    const client = await openClient(t, scene.broker)
    for (const body of ['1', '2', '3']) await client.send(queue, body)
    await client.subscribe(queue, { ack, headers })
    const left = async () => {
      await client.session.close()
      const next = await openClient(t, scene.broker, 'bob')
      await next.send(queue, 'end')
      await next.subscribe(queue)
      for (let count = 1; ; count += 1) {
        const items = await next.messages.atLeast(count)
        if (texts(items).includes('end')) return items.filter((each) => texts([each])[0] !== 'end')
      }
    }
    return { ...scene, client, queue, left }
  }

  await t.test('gives an id to acknowledge by, equal to the message id', async (t) => {
    const { client } = await reading(t, 'client-individual')
    const messages = await client.messages.atLeast(3)
    t.strictSame(
      messages.map(({ ackId }) => ackId),
      messages.map(({ messageId }) => messageId),
    )
    t.equal(new Set(messages.map(({ ackId }) => ackId)).size, 3)
    t.notOk(messages.some(isRedelivered))
  })

  await t.test('takes what is handed over as done without acknowledgement when ack is auto', async (t) => {
    const { client, left } = await reading(t, 'auto')
    await client.messages.atLeast(3)
    t.same(await left(), [])
  })

  await t.test('acknowledges one message at a time in client-individual', async (t) => {
    const { client, left } = await reading(t, 'client-individual')
    await client.messages.atLeast(3)
    await client.ack(1)
    const back = await left()
    t.strictSame(texts(back), ['1', '3'], 'the others went back when the session closed, in their places')
    t.ok(back.every(isRedelivered))
  })

  await t.test('acknowledges all before it in client', async (t) => {
    const { client, left } = await reading(t, 'client')
    await client.messages.atLeast(3)
    await client.ack(1)
    t.strictSame(texts(await left()), ['3'])
  })

  await t.test('leaves other subscriptions alone when acknowledging in client', async (t) => {
    const { broker, client, name, left } = await reading(t, 'client')
    await client.messages.atLeast(3)
    const other = `/queue/${name('other')}`
    await client.subscribe(other, { ack: 'client' })
    await client.send(other, 'o')
    await client.messages.atLeast(4)
    await client.ack(3)
    t.strictSame(texts(await left()), ['1', '2', '3'])
    t.ok(broker.status().isUp)
  })

  await t.test('delivers again what is given back, and says so', async (t) => {
    const { client, left } = await reading(t, 'client-individual')
    await client.messages.atLeast(3)
    await client.nack(1, true)
    const again = await client.messages.at(3)
    t.strictSame(texts([again]), ['2'])
    t.ok(isRedelivered(again))
    for (const index of [0, 2, 3]) await client.ack(index)
    t.same(await left(), [])
  })

  await t.test('drops what is given back with requeue:false', async (t) => {
    const { client, left } = await reading(t, 'client-individual')
    await client.messages.atLeast(3)
    await client.nack(0, false)
    t.strictSame(texts(await left()), ['2', '3'])
  })

  await t.test(
    'holds back what prefetch-count does not allow until there is an acknowledgement',
    async (t) => {
      const { client, queue, broker } = await reading(t, 'client-individual', ['prefetch-count', '1'])
      await client.messages.atLeast(1)
      const other = await openClient(t, broker, 'bob')
      await other.subscribe(queue, { ack: 'client-individual', headers: ['prefetch-count', '2'] })
      t.strictSame(texts(await other.messages.atLeast(2)), ['2', '3'], 'the rest is for others')
      await other.send(queue, '4')
      await client.ack(0)
      t.strictSame(texts(await client.messages.atLeast(2)), ['1', '4'])
    },
  )

  await t.test('keeps messages unacknowledged past UNSUBSCRIBE, until the session ends', async (t) => {
    const { client, queue, left } = await reading(t, 'client-individual')
    await client.messages.atLeast(3)
    await client.session.unsubscribe(queue, [])
    t.strictSame(texts(await left()), ['1', '2', '3'])
  })

  await t.test('refuses to acknowledge what it has not handed over', async (t) => {
    const { client } = await reading(t, 'client-individual')
    await client.messages.atLeast(3)
    await t.rejects(client.session.ack('no-such-message', {}))
  })

  await t.test('refuses to acknowledge twice', async (t) => {
    const { client } = await reading(t, 'client-individual')
    await client.ack(0)
    await t.rejects(client.ack(0))
  })

  await t.test('acknowledges messages of topics alike', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    const headers = ['prefetch-count', '1']
    await client.subscribe(`/topic/${name('a')}`, { ack: 'client-individual', headers })
    for (const body of ['1', '2']) await client.send(`/topic/${name('a')}`, body)
    await client.nack(0, true)
    await client.ack(1)
    await client.ack(2)
    t.strictSame(texts(client.messages.items), ['1', '1', '2'])
  })
}
