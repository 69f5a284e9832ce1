import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { AT, message, notification } from './rows.ts'

export async function entitiesContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('gives back messages as they were, newest first, a page at a time', async (t) => {
    const store = await open(t)
    const content = 'line\n"quoted" \u{1f600} ünïcode ? \\'
    const first = message('m1', { content, clientId: 'c', replyTo: 'm0' })
    await store.transact((tx) => {
      tx.messages.insert(first)
      tx.messages.insert(message('m2'))
      tx.messages.insert(message('m3'))
      tx.messages.insert(message('r1', { room: 'tea' }))
      tx.messages.insert(message('p1', { sender: 'bob', receiver: 'alice' }))
      tx.messages.insert(message('p2', { sender: 'alice', receiver: 'bob' }))
      return Promise.resolve()
    })
    t.strictSame(await store.messages.find('m1'), first)
    t.equal(await store.messages.find('none'), null)
    const ids = async (...args: Parameters<Store['messages']['list']>) =>
      (await store.messages.list(...args)).map((row) => row.id)
    t.strictSame(await ids({ kind: 'public' }, { limit: 2 }), ['m3', 'm2'])
    t.strictSame(await ids({ kind: 'public' }, { limit: 2, before: 'm2' }), ['m1'])
    t.strictSame(await ids({ kind: 'room', room: 'tea' }, { limit: 9 }), ['r1'])
    t.strictSame(await ids({ kind: 'private', users: ['alice', 'bob'] }, { limit: 9 }), ['p2', 'p1'])
    t.strictSame(await ids({ kind: 'private', users: ['bob', 'alice'] }, { limit: 9 }), ['p2', 'p1'])
    t.strictSame(await ids({ kind: 'private', users: ['bob', 'eve'] }, { limit: 9 }), [])
  })

  await t.test('gives back broadcasts and notifications as they were', async (t) => {
    const store = await open(t)
    const broadcast = { id: 'b1', title: 't', message: 'm', type: 'INFO', createdAt: AT }
    const data = { nested: [1, 'two', null, true] }
    const notice = notification(data)
    await store.transact((tx) => {
      tx.broadcasts.insert(broadcast)
      tx.notifications.insert(notice)
      return Promise.resolve()
    })
    t.strictSame(await store.broadcasts.find('b1'), broadcast)
    t.equal(await store.broadcasts.find('none'), null)
    t.strictSame(await store.broadcasts.list({ limit: 5 }), [broadcast])
    t.strictSame(await store.broadcasts.list({ limit: 5, before: 'b1' }), [])
    t.strictSame(await store.notifications.list('bob', { limit: 5 }), [notice])
    t.strictSame(await store.notifications.list('bob', { limit: 5, before: 'n1' }), [])
    t.strictSame(await store.notifications.list('alice', { limit: 5 }), [])
  })
}
