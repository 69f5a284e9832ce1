import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { AT, event, message } from './rows.ts'

// In the order of their bytes in UTF-8, which is not that of UTF-16 for the last two.
const ALIKE = [
  'A',
  'B',
  'Straße',
  'Strasse',
  'a',
  'a ',
  'a  ',
  'á',
  'a\u0301',
  'b',
  '\uff21',
  '\u{1f600}',
].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export async function textsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test(
    'tells names apart and sorts them by their bytes, whatever languages make of them',
    async (t) => {
      const store = await open(t)
      const appended = await store.transact((tx) => tx.appendEvents(ALIKE.map((name) => event(name))))
      t.strictSame(
        appended.map(({ offset }) => offset),
        ALIKE.map(() => 1),
      )
      await store.transact((tx) => Promise.resolve(ALIKE.forEach((id) => tx.messages.insert(message(id)))))
      const rows = await store.messages.list({ kind: 'public' }, { limit: 99 })
      t.strictSame(
        rows.map(({ id }) => id),
        ALIKE.toReversed(),
      )
      for (const name of ALIKE) {
        t.equal((await store.messages.find(name))?.id, name)
        t.equal(await store.log.head(name), 1)
        await store.accounts.create({ name, passwordHash: name, roles: [], createdAt: AT })
      }
      for (const name of ['c', 'STRASSE', 'a   ', ' a', 'À', '\u{1f601}']) {
        t.equal(await store.messages.find(name), null)
        t.equal(await store.accounts.find(name), null)
        t.equal(await store.log.head(name), 0)
      }
    },
  )

  await t.test('takes quotes, backslashes, question marks and line ends as what they are', async (t) => {
    const store = await open(t)
    for (const id of [
      `'`,
      `''; drop table messages; --`,
      '\\',
      `\\'`,
      '?',
      '$1',
      ':x',
      '"',
      '`',
      '\n\r\t\u001a',
      '%_',
    ]) {
      const row = message(id, { content: id, sender: id })
      await store.transact((tx) => Promise.resolve(tx.messages.insert(row)))
      t.strictSame(await store.messages.find(id), row)
    }
  })

  await t.test('refuses to look for a text that no database holds', async (t) => {
    const store = await open(t)
    const refusal = { code: 'invalid-payload' }
    for (const text of ['a\0b', 'half \ud800']) {
      await t.rejects(store.messages.find(text), refusal)
      await t.rejects(store.log.heads([text]), refusal)
      await t.rejects(store.accounts.find(text), refusal)
      await t.rejects(
        store.settings.getOrCreate(text, () => 'x'),
        refusal,
      )
      await t.rejects(
        store.transact((tx) => tx.orders.find(text)),
        refusal,
      )
      await t.rejects(
        store.transact((tx) => tx.appendEvents([event(text)])),
        refusal,
      )
    }
  })

  await t.test('keeps large texts and bodies whole', async (t) => {
    const store = await open(t)
    const content = '\u{1f600}ü\\"'.repeat(200_000)
    const body = new Uint8Array(1_000_000).map((_, i) => i % 256)
    await store.transact((tx) => {
      tx.messages.insert(message('m', { content }))
      tx.deadLetters.insert({ id: 'd', queue: 'q', reason: 'r', headers: [], body, createdAt: AT })
      return Promise.resolve()
    })
    t.ok((await store.messages.find('m'))?.content === content)
    t.ok(Buffer.compare((await store.deadLetters.find('d'))?.body ?? Buffer.of(), body) === 0)
  })

  await t.test('refuses names that are too long for an index, everywhere alike', async (t) => {
    const store = await open(t)
    const longest = 's'.repeat(512)
    t.match(await store.transact((tx) => tx.appendEvents([event(longest)])), [{ offset: 1 }])
    t.match(await store.transact((tx) => tx.appendEvents([event(longest)])), [{ offset: 2 }])
    const work = store.transact((tx) => tx.appendEvents([event(`${longest}s`)]))
    await t.rejects(work, { code: 'invalid-payload' })
    const widest = '\u{1f600}'.repeat(256)
    t.match(await store.transact((tx) => tx.appendEvents([event(widest)])), [{ offset: 1 }])
  })
}
