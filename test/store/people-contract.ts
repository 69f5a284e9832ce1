import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { AT } from './rows.ts'

export async function peopleContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('finds names by how they begin, whatever the case, those of accounts included', async (t) => {
    const { people, accounts } = await open(t)
    await people.remember([])
    await people.remember(['alice', 'Alan', 'bob', 'al', 'AL', 'al@x', 'zoe'])
    await Promise.all([people.remember(['alice', 'alma']), people.remember(['alma'])])
    await accounts.create({ name: 'Albert', passwordHash: 'x', roles: ['user'], createdAt: AT })
    const names = (prefix: string, after?: string): Promise<readonly string[]> =>
      people.list(prefix, { limit: 4, ...(after !== undefined && { after }) })
    t.strictSame(await names('aL'), ['AL', 'al', 'al@x', 'Alan'])
    t.strictSame(await names('al', 'AL'), ['al', 'al@x', 'Alan', 'Albert'])
    t.strictSame(await names('al', 'Albert'), ['alice', 'alma'])
    t.strictSame(await names('', 'alma'), ['bob', 'zoe'])
    t.strictSame(await names('x'), [])
  })
}
