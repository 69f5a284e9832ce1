import type { LoginRepository, LoginRow } from '../store.ts'
import { guarded } from './failures.ts'
import { checked } from './rows.ts'
import type { LoginTable } from './schema.ts'
import type { StoreConnections } from './store-connections.ts'

export class KyselyLogins implements LoginRepository {
  readonly #connections: Pick<StoreConnections, 'idiom' | 'aside'>

  /** Reads where it writes: a login that was ended a moment ago must not look alive. */
  constructor(connections: Pick<StoreConnections, 'idiom' | 'aside'>) {
    this.#connections = connections
  }

  create(row: LoginRow): Promise<void> {
    const { idiom, aside } = this.#connections
    return guarded(async () => {
      await idiom.insertRows(aside, 'logins', [fromLogin(row)])
    })
  }

  find(id: string): Promise<LoginRow | null> {
    return guarded(async () => {
      const row = await this.#connections.aside
        .selectFrom('logins')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row === undefined ? null : toLogin(row)
    })
  }

  ofUser(user: string): Promise<readonly LoginRow[]> {
    return guarded(async () => {
      const rows = await this.#connections.aside
        .selectFrom('logins')
        .selectAll()
        .where('user_id', '=', user)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
      return rows.map(toLogin)
    })
  }

  exchange({ id, turn, expiresAt }: Pick<LoginRow, 'id' | 'turn' | 'expiresAt'>): Promise<boolean> {
    return guarded(async () => {
      const { numUpdatedRows } = await this.#connections.aside
        .updateTable('logins')
        .set(checked({ turn: turn + 1, expires_at: expiresAt }))
        .where('id', '=', id)
        .where('turn', '=', turn)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }

  remove(ids: readonly string[]): Promise<void> {
    return guarded(async () => {
      if (ids.length === 0) return
      await this.#connections.aside.deleteFrom('logins').where('id', 'in', ids).execute()
    })
  }

  living(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return guarded(async () => {
      if (ids.length === 0) return new Set()
      const rows = await this.#connections.aside
        .selectFrom('logins')
        .select('id')
        .where('id', 'in', ids)
        .execute()
      return new Set(rows.map(({ id }) => id))
    })
  }

  trim(nowIso: string, limit: number): Promise<number> {
    const { aside } = this.#connections
    return guarded(async () => {
      const rows = await aside
        .selectFrom('logins')
        .select('id')
        .where('expires_at', '<=', nowIso)
        .orderBy('expires_at')
        .limit(limit)
        .execute()
      await this.remove(rows.map(({ id }) => id))
      return rows.length
    })
  }
}

function fromLogin(row: LoginRow): LoginTable {
  return checked({
    id: row.id,
    user_id: row.user,
    turn: row.turn,
    created_at: row.createdAt,
    expires_at: row.expiresAt,
  })
}

function toLogin(row: LoginTable): LoginRow {
  return {
    id: row.id,
    user: row.user_id,
    turn: row.turn,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
