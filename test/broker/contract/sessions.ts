import type { Test } from 'tap'
import { header } from '../../../protocol/frame.ts'
import { MessageError } from '../../../src/errors.ts'
import { message, openClient, openScene, text, texts, type MakeBroker } from './scene.ts'

const ODD_IDS = ['sub-0', 'with space', 'a@@b', 'a:b\\c\nd', 'ü', 'T_1']

export async function sessions(t: Test, makeBroker: MakeBroker): Promise<void> {
  await t.test('hands messages of a queue over under the id the client chose, whatever it is', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    for (const [index, id] of ODD_IDS.entries()) {
      await client.subscribe(`/queue/${name(`q${index}`)}`, { id })
      await client.send(`/queue/${name(`q${index}`)}`, id, {
        headers: ['x-own', 'a:b\nü', 'type', 'greeting'],
      })
    }
    const messages = await client.messages.atLeast(ODD_IDS.length)
    t.strictSame(messages.map(({ subscription }) => subscription).toSorted(), [...ODD_IDS].toSorted())
    for (const each of messages) {
      t.equal(text(each), each.subscription)
      t.equal(each.destination, `/queue/${name(`q${ODD_IDS.indexOf(each.subscription)}`)}`)
      t.equal(header(each.headers, 'x-own'), 'a:b\nü')
      t.equal(header(each.headers, 'type'), 'greeting')
      t.equal(each.ackId, undefined, 'there is nothing to acknowledge')
    }
    t.equal(new Set(messages.map(({ messageId }) => messageId)).size, ODD_IDS.length)
  })

  await t.test("keeps the server's names out of the headers", async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    await client.subscribe(`/queue/${name('q')}`, { ack: 'client' })
    await client.send(`/queue/${name('q')}`, 'hello')
    const { headers } = await client.messages.at(0)
    const names = new Set(headers.filter((_, index) => index % 2 === 0))
    for (const reserved of ['destination', 'subscription', 'message-id', 'ack', 'content-length']) {
      t.notOk(names.has(reserved), `${reserved} is a field`)
    }
  })

  await t.test('lets no reserved header of a SEND through, to sessions or to nodes', async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    const topic = name('a')
    const client = await openClient(t, broker)
    await client.subscribe(`/topic/${topic}`)
    await broker.watch({ kind: 'topic', pattern: topic })
    const reserved = [
      'persistent',
      'event-id',
      'user-id',
      'login',
      'receipt',
      'redelivered',
      'x-relay-origin',
    ]
    const headers = reserved.flatMap((each) => [each, each === 'persistent' ? 'true' : 'forged'])
    await client.send(`/topic/${topic}`, 'x', { headers: [...headers, 'x-own', 'kept'] })
    const delivery = await deliveries.at(0)
    t.equal(delivery.eventId, undefined)
    for (const got of [delivery, await client.messages.at(0)]) {
      t.equal(header(got.headers, 'x-own'), 'kept')
      for (const each of reserved) t.equal(header(got.headers, each), undefined, each)
    }
  })

  await t.test('reaches topics: what sessions send, nodes get, and the other way round', async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    const topic = name('a')
    const client = await openClient(t, broker)
    await client.subscribe(`/topic/${topic}.*`)
    await broker.watch({ kind: 'topic', pattern: `${topic}.*` })
    await client.send(`/topic/${topic}.x`, 'from a session', { headers: ['x-own', 'kept'] })
    t.equal(text(await client.messages.at(0)), 'from a session')
    const delivery = await deliveries.at(0)
    t.same(delivery.address, { kind: 'topic', topic: `${topic}.x` })
    t.equal(header(delivery.headers, 'x-own'), 'kept')
    t.equal(delivery.eventId, undefined)
    await broker.publish(message({ kind: 'topic', topic: `${topic}.y` }, 'from the node'))
    const second = await client.messages.at(1)
    t.match({ ...second, body: text(second) }, { destination: `/topic/${topic}.y`, body: 'from the node' })
    t.equal(second.subscription, `/topic/${topic}.*`)
  })

  await t.test('knows the topic exchange by its own name too', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    await client.subscribe(`/exchange/amq.topic/${name('a')}`)
    await client.send(`/topic/${name('a')}`, '1')
    await client.send(`/exchange/amq.topic/${name('a')}`, '2')
    t.strictSame(texts(await client.messages.atLeast(2)), ['1', '2'])
    t.equal(client.messages.items[0]?.destination, `/topic/${name('a')}`)
  })

  await t.test('lets frames take effect in the order of calls', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    const calls = [client.subscribe(`/topic/${name('a')}`), client.subscribe(`/queue/${name('q')}`)]
    const expected: string[] = []
    for (let index = 0; index < 100; index += 1) {
      calls.push(client.send(`/queue/${name('q')}`, String(index), { confirm: index % 2 === 0 }))
      calls.push(client.send(`/topic/${name('a')}`, String(index), { confirm: index % 3 === 0 }))
      expected.push(String(index))
    }
    await Promise.all(calls)
    const messages = await client.messages.atLeast(200)
    for (const subscription of [`/queue/${name('q')}`, `/topic/${name('a')}`]) {
      const own = messages.filter((each) => each.subscription === subscription)
      t.strictSame(texts(own), expected, 'what it sent after subscribing, in order')
    }
  })

  await t.test('shares a queue among its readers: each message goes to one', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const readers = [await openClient(t, broker, 'ann'), await openClient(t, broker, 'bob')]
    for (const reader of readers) await reader.subscribe(`/queue/${name('q')}`, { ack: 'client' })
    const sender = await openClient(t, broker, 'eve')
    for (let index = 0; index < 20; index += 1) await sender.send(`/queue/${name('q')}`, String(index))
    await Promise.all(readers.map(async ({ messages }) => messages.atLeast(10)))
    const all = readers.flatMap(({ messages }) => texts(messages.items))
    t.strictSame(
      all.map(Number).toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index),
    )
  })

  await t.test('reads a queue by its exact name where it exists', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    await broker.publish(message({ kind: 'queue', queue: name('q') }, '1'))
    await client.subscribe(`/amq/queue/${name('q')}`)
    await client.send(`/amq/queue/${name('q')}`, '2')
    t.strictSame(texts(await client.messages.atLeast(2)), ['1', '2'])
    await client.send(`/amq/queue/${name('missing')}`, 'confirmed, and gone')
    await t.rejects(client.subscribe(`/amq/queue/${name('missing')}`))
  })

  await t.test('refuses a destination it does not know, and the session lives on', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    for (const destination of ['/nonsense/x', '/topic/a/b', '/queue/', '/topic/']) {
      await t.rejects(client.send(destination, 'x'), MessageError, `SEND ${destination}`)
      await t.rejects(client.subscribe(destination), MessageError, `SUBSCRIBE ${destination}`)
    }
    await client.subscribe(`/queue/${name('q')}`)
    await client.send(`/queue/${name('q')}`, 'alive')
    t.equal(text(await client.messages.at(0)), 'alive')
    t.same(client.ends.items, [])
  })

  await t.test('stops a subscription, and refuses to stop what there is not', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const client = await openClient(t, broker)
    await client.subscribe(`/topic/${name('a')}`, { id: 'one' })
    await client.subscribe(`/topic/${name('a')}`, { id: 'two' })
    await client.session.unsubscribe('one', [])
    await client.send(`/topic/${name('a')}`, 'x')
    t.equal((await client.messages.at(0)).subscription, 'two')
    await t.rejects(client.session.unsubscribe('one', []), { code: 'unknown-subscription' })
    await client.subscribe(`/topic/${name('a')}`, { id: 'one' })
    await client.send(`/topic/${name('a')}`, 'y')
    await client.messages.atLeast(3)
    t.strictSame(client.messages.items.map(({ subscription }) => subscription).toSorted(), [
      'one',
      'two',
      'two',
    ])
  })

  await t.test('makes a private queue for replies, which another session can answer to', async (t) => {
    const { broker, name } = await openScene(t, makeBroker)
    const [asker, answerer] = [await openClient(t, broker, 'ann'), await openClient(t, broker, 'bob')]
    await answerer.subscribe(`/queue/${name('q')}`)
    for (const index of [0, 1]) {
      const headers = ['reply-to', '/temp-queue/answers', 'correlation-id', `c${index}`]
      await asker.send(`/queue/${name('q')}`, 'question', { headers })
      const question = await answerer.messages.at(index)
      const replyTo = header(question.headers, 'reply-to')
      t.match(replyTo, /^\/reply-queue\//)
      t.equal(header(question.headers, 'correlation-id'), `c${index}`)
      await answerer.send(replyTo!, `answer ${index}`)
      const answer = await asker.messages.at(index)
      t.match(
        { ...answer, body: text(answer) },
        {
          subscription: '/temp-queue/answers',
          body: `answer ${index}`,
        },
      )
    }
  })
}
