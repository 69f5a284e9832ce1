import type { Kysely } from 'kysely'
import { MessageError } from '../../errors.ts'
import type { AccountRepository, AccountRow, SettingRepository } from '../store.ts'
import { guarded } from './failures.ts'
import { fromAccount, toAccount } from './rows.ts'
import type { Schema } from './schema.ts'

export class KyselyAccounts implements AccountRepository {
  readonly #reader: Kysely<Schema>
  readonly #writer: Kysely<Schema>

  constructor(reader: Kysely<Schema>, writer: Kysely<Schema>) {
    this.#reader = reader
    this.#writer = writer
  }

  find(name: string): Promise<AccountRow | null> {
    return guarded(async () => {
      const row = await this.#reader
        .selectFrom('accounts')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst()
      return row === undefined ? null : toAccount(row)
    })
  }

  create(row: AccountRow): Promise<void> {
    return guarded(async () => {
      const answer = await this.#writer
        .insertInto('accounts')
        .values(fromAccount(row))
        .onConflict((c) => c.column('name').doNothing())
        .executeTakeFirst()
      if (answer.numInsertedOrUpdatedRows === 0n) {
        throw new MessageError('conflict', 'an account of this name exists')
      }
    })
  }
}

export class KyselySettings implements SettingRepository {
  readonly #writer: Kysely<Schema>

  /** @param writer also asked, so that a value is seen as soon as it is there */
  constructor(writer: Kysely<Schema>) {
    this.#writer = writer
  }

  find(key: string): Promise<string | null> {
    return guarded(async () => {
      const row = await this.#writer
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
    await guarded(() =>
      this.#writer
        .insertInto('settings')
        .values({ key, value: make() })
        .onConflict((c) => c.column('key').doNothing())
        .execute(),
    )
    return (await this.find(key)) ?? ''
  }
}
