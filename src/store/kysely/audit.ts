import type { AuditRepository, AuditRow, Page } from '../store.ts'
import { guarded } from './failures.ts'
import { checked } from './rows.ts'
import type { AuditTable } from './schema.ts'
import type { StoreConnections } from './store-connections.ts'

export class KyselyAudit implements AuditRepository {
  readonly #connections: Pick<StoreConnections, 'idiom' | 'aside' | 'reader'>

  constructor(connections: Pick<StoreConnections, 'idiom' | 'aside' | 'reader'>) {
    this.#connections = connections
  }

  insert(rows: readonly AuditRow[]): Promise<void> {
    const { idiom, aside } = this.#connections
    return guarded(() => idiom.insertRows(aside, 'audit', rows.map(fromAudit)))
  }

  list(
    { kind, user }: { readonly kind?: string; readonly user?: string },
    { limit, before }: Page,
  ): Promise<readonly AuditRow[]> {
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('audit')
        .selectAll()
        .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? ''))
        .$if(user !== undefined, (query) => query.where('user_id', '=', user ?? ''))
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toAudit)
    })
  }

  trim(
    { kind, before, keep }: { readonly kind: string; readonly before: string; readonly keep: number },
    limit: number,
  ): Promise<number> {
    const { aside } = this.#connections
    return guarded(async () => {
      const ofKind = aside.selectFrom('audit').select(['id', 'created_at']).where('kind', '=', kind)
      const [newestTooMuch] = await ofKind.orderBy('id', 'desc').limit(1).offset(keep).execute()
      const oldest = await ofKind.orderBy('id').limit(limit).execute()
      const ids = oldest
        .filter(({ id, created_at }) => created_at < before || id <= (newestTooMuch?.id ?? ''))
        .map(({ id }) => id)
      if (ids.length > 0) await aside.deleteFrom('audit').where('id', 'in', ids).execute()
      return ids.length
    })
  }
}

function fromAudit(row: AuditRow): AuditTable {
  return checked({
    id: row.id,
    created_at: row.at,
    kind: row.kind,
    user_id: row.user,
    node: row.node,
    address: row.address,
    about: row.about,
    omitted: row.omitted,
  })
}

function toAudit(row: AuditTable): AuditRow {
  return {
    id: row.id,
    at: row.created_at,
    kind: row.kind,
    user: row.user_id,
    node: row.node,
    address: row.address,
    about: row.about,
    omitted: row.omitted,
  }
}
