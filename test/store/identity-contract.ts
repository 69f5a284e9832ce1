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

  await t.test('changes the password of the account that is named, and no other', async (t) => {
    const { accounts } = await open(t)
    const account = { passwordHash: 'x', roles: ['user'], createdAt: AT }
    await accounts.create({ ...account, name: 'root' })
    await accounts.create({ ...account, name: 'Root' })
    t.equal(await accounts.setPasswordHash('root', 'y'), true)
    t.equal(await accounts.setPasswordHash('root', ''), true)
    t.equal(await accounts.setPasswordHash('ROOT', 'z'), false)
    const hashes = await accounts.passwordHashes(['root', 'Root', 'ROOT', 'none'])
    t.strictSame(Object.fromEntries(hashes), { Root: 'x', root: '' })
    t.equal((await accounts.passwordHashes([])).size, 0)
  })

  await t.test(
    'gives each turn of a login to one of those who ask, and keeps the logins of users apart',
    async (t) => {
      const { logins } = await open(t)
      const login = (id: string, user: string, createdAt = AT) => ({
        id,
        user,
        turn: 0,
        createdAt,
        expiresAt: AT,
      })
      const later = '2031-01-31T09:30:00.000Z'
      await logins.create(login('one', 'alice'))
      await logins.create(login('two', 'alice', later))
      await logins.create(login('three', 'Alice'))
      t.strictSame(
        (await logins.ofUser('alice')).map(({ id }) => id),
        ['two', 'one'],
      )
      const exchange = { id: 'one', turn: 0, expiresAt: later }
      const won = await Promise.all([1, 2, 3].map(async () => logins.exchange(exchange)))
      t.strictSame(won.filter(Boolean), [true])
      t.strictSame(await logins.find('one'), { ...login('one', 'alice'), turn: 1, expiresAt: later })
      t.notOk(await logins.exchange({ ...exchange, turn: 2 }), 'a turn to come')
      t.notOk(await logins.exchange({ ...exchange, id: 'none' }))
      await logins.remove(['two', 'none'])
      await logins.remove([])
      t.equal(await logins.find('two'), null)
      t.strictSame([...(await logins.living(['one', 'two', 'three', 'none']))].toSorted(), ['one', 'three'])
      t.equal((await logins.living([])).size, 0)
      t.equal(await logins.trim(AT, 10), 1, 'the one that is over')
      t.equal(await logins.find('three'), null)
      t.equal((await logins.find('one'))?.turn, 1)
    },
  )

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
