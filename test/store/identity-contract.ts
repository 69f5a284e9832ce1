import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { AT } from './rows.ts'

export async function identitiesContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('creates an account once, and tells names apart by case', async (t) => {
    const store = await open(t)
    const account = { name: 'root', passwordHash: 'x', roles: ['admin', 'user'], createdAt: AT }
    await store.accounts.create(account)
    await t.rejects(store.accounts.create({ ...account, passwordHash: 'y' }), { code: 'conflict' })
    await store.accounts.create({ ...account, name: 'Root' })
    t.strictSame(await store.accounts.find('root'), account)
    t.equal(await store.accounts.find('ROOT'), null)
  })

  await t.test('makes a setting once, whoever asks at the same time', async (t) => {
    const store = await open(t)
    t.equal(await store.settings.find('k'), null)
    const values = await Promise.all(
      ['a', 'b', 'c'].map((value) => store.settings.getOrCreate('k', () => value)),
    )
    t.equal(new Set(values).size, 1)
    t.equal(await store.settings.getOrCreate('k', () => 'd'), values[0])
    t.equal(await store.settings.find('k'), values[0])
  })

  await t.test('has an epoch, which stays', async (t) => {
    const store = await open(t)
    const { epoch } = store
    t.match(epoch, /^[A-Za-z0-9_-]{6,12}$/)
    t.equal(await store.refreshEpoch(), epoch)
    t.equal(store.epoch, epoch)
  })
}
