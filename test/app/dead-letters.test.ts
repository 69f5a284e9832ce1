import t from 'tap'
import { requeueDeadLetter } from '../../src/app/orders/requeue-dead-letter.ts'
import { storeDeadLetter } from '../../src/app/orders/store-dead-letter.ts'
import type { ConsumedMessage } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { MessageError } from '../../src/errors.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { Inbox } from '../support/inbox.ts'
import { temporaryFolder } from '../support/relay.ts'

type Test = Parameters<typeof temporaryFolder>[0]

const WHERE = { queue: 'user', reason: 'no order' }
const MESSAGE: ConsumedMessage = {
  headers: ['x-shop', 'east', 'x-dead-letter-requeued', 'before'],
  body: Buffer.from('poison'),
  isRedelivered: false,
}

async function useStore(t: Test): Promise<Store> {
  const store = await openStore({ url: `sqlite:${await temporaryFolder(t)}/a.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  return store
}

async function useBroker(t: Test) {
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  await broker.start({ onMessage: () => undefined, onHole: () => undefined })
  const queue = new Inbox<ConsumedMessage>()
  await broker.consume('user', { prefetch: 10 }, async (message) => queue.push(message))
  return { broker, queue }
}

await t.test('what the broker delivers again is the same dead letter, while that is there', async (t) => {
  const store = await useStore(t)
  const again = { ...MESSAGE, isRedelivered: true }
  const id = await storeDeadLetter(store, MESSAGE, WHERE)
  t.equal(await storeDeadLetter(store, again, WHERE), id)
  t.not(await storeDeadLetter(store, { ...again, body: Buffer.from('other') }, WHERE), id)
  t.not(await storeDeadLetter(store, { ...again, headers: ['x', 'y'] }, WHERE), id)
  const sent = await storeDeadLetter(store, MESSAGE, WHERE)
  t.not(sent, id, 'what is sent again is another one')
  t.equal((await store.deadLetters.list({ limit: 9 })).length, 4)
  await store.deadLetters.remove(id)
  const anew = await storeDeadLetter(store, again, WHERE)
  t.not(anew, id, 'nothing is lost of what was taken away meanwhile')
  t.match(await store.deadLetters.find(anew), { ...WHERE, headers: MESSAGE.headers })
})

await t.test(
  'a dead letter is in its queue again, with the headers it had, and is none any more',
  async (t) => {
    const store = await useStore(t)
    const { broker, queue } = await useBroker(t)
    const id = await storeDeadLetter(store, MESSAGE, WHERE)
    t.match(await requeueDeadLetter({ broker, store }, id), { id, queue: 'user' })
    const { headers, body } = await queue.at(0)
    t.equal(Buffer.from(body).toString(), 'poison')
    t.match(headers.join(' '), /^x-dead-letter-requeued \S{36} x-shop east$/)
    t.equal(await store.deadLetters.find(id), null)
    t.equal(await requeueDeadLetter({ broker, store }, id), undefined)
  },
)

await t.test(
  'a dead letter stays where the broker does not take it, or the node dies after that',
  async (t) => {
    const store = await useStore(t)
    const id = await storeDeadLetter(store, MESSAGE, WHERE)
    const closed = createMemoryBroker()
    await closed.close()
    await t.rejects(requeueDeadLetter({ broker: closed, store }, id), { code: 'broker-unavailable' })
    t.match(await store.deadLetters.find(id), { id })
    const { broker, queue } = await useBroker(t)
    const dying = Object.create(store, {
      deadLetters: {
        value: {
          find: (each: string) => store.deadLetters.find(each),
          remove: () => Promise.reject(new MessageError('store-unavailable', 'the node is gone')),
        },
      },
    }) as Store
    await t.rejects(requeueDeadLetter({ broker, store: dying }, id), { code: 'store-unavailable' })
    await queue.at(0)
    t.match(await store.deadLetters.find(id), { id }, 'so that nothing is lost; the intake knows repetitions')
  },
)
