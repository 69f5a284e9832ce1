import { MessageError } from '../../errors.ts'
import type { AccountRepository, AccountRow, SettingRepository } from '../store.ts'
import { guarded } from './failures.ts'
import { rememberPerson } from './people.ts'
import type { StoreConnections } from './store-connections.ts'
import { checked, fromAccount, toAccount } from './rows.ts'

export class KyselyAccounts implements AccountRepository {
  readonly #connections: StoreConnections

  constructor(connections: StoreConnections) {
    this.#connections = connections
  }

  find(name: string): Promise<AccountRow | null> {
    return guarded(async () => {
      const row = await this.#connections.reader
        .selectFrom('accounts')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst()
      return row === undefined ? null : toAccount(row)
    })
  }

  create(row: AccountRow): Promise<void> {
    const { idiom, aside } = this.#connections
    return guarded(async () => {
      if (!(await idiom.insertMissing(aside, 'accounts', fromAccount(row)))) {
        throw new MessageError('conflict', 'an account of this name exists')
      }
      await rememberPerson(idiom, aside, row.name)
    })
  }

  setPasswordHash(name: string, passwordHash: string): Promise<boolean> {
    return guarded(async () => {
      const { numUpdatedRows } = await this.#connections.aside
        .updateTable('accounts')
        .set(checked({ password_hash: passwordHash }))
        .where('name', '=', name)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }

  passwordHashes(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return guarded(async () => {
      if (names.length === 0) return new Map()
      const rows = await this.#connections.aside
        .selectFrom('accounts')
        .select(['name', 'password_hash'])
        .where('name', 'in', names)
        .execute()
      return new Map(rows.map((row) => [row.name, row.password_hash]))
    })
  }
}

export class KyselySettings implements SettingRepository {
  readonly #connections: StoreConnections

  constructor(connections: StoreConnections) {
    this.#connections = connections
  }

  find(key: string): Promise<string | null> {
    return guarded(async () => {
      const row = await this.#connections.aside
        .selectFrom('settings')
        .select('value')
        .where('key', '=', key)
        .executeTakeFirst()
      return row?.value ?? null
    })
  }

  async getOrCreate(key: string, make: () => string): Promise<string> {
    const found = await this.find(key)
    if (found !== null) return found
    const { idiom, aside } = this.#connections
    await guarded(() => idiom.insertMissing(aside, 'settings', checked({ key, value: make() })))
    return (await this.find(key)) ?? ''
  }
}
