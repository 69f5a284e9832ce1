import type { RequestRepository } from '../store.ts'
import { portionsOf } from './chunks.ts'
import { guarded } from './failures.ts'
import type { StoreConnections } from './store-connections.ts'

const KEYS_A_STATEMENT = 500

export class KyselyRequests implements RequestRepository {
  readonly #connections: Pick<StoreConnections, 'reader' | 'aside'>

  constructor(connections: Pick<StoreConnections, 'reader' | 'aside'>) {
    this.#connections = connections
  }

  trim(nowIso: string, limit: number): Promise<number> {
    const { reader, aside } = this.#connections
    return guarded(async () => {
      const expired = await reader
        .selectFrom('requests')
        .select('key')
        .where('expires_at', '<=', nowIso)
        .orderBy('expires_at')
        .limit(limit)
        .execute()
      let count = 0
      for (const rows of portionsOf(expired, KEYS_A_STATEMENT)) {
        const { numDeletedRows } = await aside
          .deleteFrom('requests')
          .where(
            'key',
            'in',
            rows.map((row) => row.key),
          )
          .where('expires_at', '<=', nowIso) // it may have been forgotten and remembered anew
          .executeTakeFirst()
        count += Number(numDeletedRows)
      }
      return count
    })
  }
}
