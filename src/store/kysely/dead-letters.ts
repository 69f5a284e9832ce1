import { sql } from 'kysely'
import type { DeadLetterExcerpt, DeadLetterRepository, DeadLetterRow } from '../orders.ts'
import { guarded } from './failures.ts'
import { checked, parseTexts, toJson } from './rows.ts'
import type { DeadLetterTable } from './schema.ts'
import type { StoreConnections } from './store-connections.ts'

/** No database holds more in one value. */
const MAX_BODY_BYTES = 2 ** 31 - 1

export class KyselyDeadLetters implements DeadLetterRepository {
  readonly #connections: Pick<StoreConnections, 'reader' | 'aside'>

  constructor(connections: Pick<StoreConnections, 'reader' | 'aside'>) {
    this.#connections = connections
  }

  find(id: string): Promise<DeadLetterRow | null> {
    return guarded(async () => {
      const row = await this.#connections.reader
        .selectFrom('dead_letters')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row === undefined ? null : toDeadLetter(row)
    })
  }

  list({
    limit,
    before,
    maxBodyBytes = MAX_BODY_BYTES,
  }: Parameters<DeadLetterRepository['list']>[0]): Promise<readonly DeadLetterExcerpt[]> {
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('dead_letters')
        .select(['id', 'queue', 'reason', 'headers', 'created_at'])
        // Both count bytes where the column holds bytes, in every database.
        .select(sql<Uint8Array>`substr(body, 1, ${sql.lit(maxBodyBytes)})`.as('body'))
        .select(sql<number | string>`length(body)`.as('body_bytes'))
        .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toExcerpt)
    })
  }

  remove(id: string): Promise<boolean> {
    return guarded(async () => {
      const { numDeletedRows } = await this.#connections.aside
        .deleteFrom('dead_letters')
        .where('id', '=', id)
        .executeTakeFirst()
      return numDeletedRows > 0n
    })
  }
}

function toDeadLetter(row: DeadLetterTable): DeadLetterRow {
  const { id, queue, reason } = row
  const body = new Uint8Array(row.body)
  return { id, queue, reason, headers: parseTexts(row.headers), body, createdAt: row.created_at }
}

function toExcerpt(row: DeadLetterTable & { readonly body_bytes: number | string }): DeadLetterExcerpt {
  return { ...toDeadLetter(row), bodyBytes: Number(row.body_bytes) }
}

export function fromDeadLetter(row: DeadLetterRow): DeadLetterTable {
  const { id, queue, reason, body } = row
  return checked({ id, queue, reason, headers: toJson(row.headers), body, created_at: row.createdAt })
}
