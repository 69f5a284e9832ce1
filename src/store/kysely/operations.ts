import { sql } from 'kysely'
import type { OperationRepository, OperationRow, OperationSummary } from '../operations.ts'
import type { Page } from '../store.ts'
import { claimable } from './claimable-operations.ts'
import { guarded } from './failures.ts'
import { toOperation, toSummary } from './operation-rows.ts'
import type { StoreConnections } from './store-connections.ts'

const SUMMARY_COLUMNS = [
  'id',
  'user_id',
  'type',
  'state',
  'done',
  'total',
  'error',
  'node',
  'run',
  'is_cancel_requested',
  'attempts',
  'parts',
  'created_at',
  'started_at',
  'ended_at',
] as const

export class KyselyOperations implements OperationRepository {
  readonly #connections: Pick<StoreConnections, 'idiom' | 'aside' | 'reader'>

  constructor(connections: Pick<StoreConnections, 'idiom' | 'aside' | 'reader'>) {
    this.#connections = connections
  }

  find(id: string): Promise<OperationRow | null> {
    return guarded(async () => {
      const row = await this.#connections.reader
        .selectFrom('operations')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row === undefined ? null : toOperation(row)
    })
  }

  list(user: string, { limit, before }: Page): Promise<readonly OperationSummary[]> {
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('operations')
        .select(SUMMARY_COLUMNS)
        .where('user_id', '=', user)
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toSummary)
    })
  }

  countByState(): Promise<ReadonlyMap<string, number>> {
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('operations')
        .select((e) => ['state', e.fn.countAll().as('count')])
        .groupBy('state')
        .execute()
      return new Map(rows.map(({ state, count }) => [state, Number(count)]))
    })
  }

  hasClaimable(): Promise<boolean> {
    const { idiom, reader } = this.#connections
    return guarded(async () => (await claimable(reader, idiom).executeTakeFirst()) !== undefined)
  }

  renew(id: string, run: string, ttlMs: number): Promise<boolean> {
    const { idiom, aside } = this.#connections
    return guarded(async () => {
      const { numUpdatedRows } = await aside
        .updateTable('operations')
        .set({ lease_ms: sql`${idiom.nowMs} + ${ttlMs}` })
        .where('id', '=', id)
        .where('run', '=', run)
        .where('state', '=', 'RUNNING')
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }

  resultPart(id: string, part: number): Promise<string | null> {
    return guarded(async () => {
      const row = await this.#connections.reader
        .selectFrom('operation_results')
        .select('text')
        .where('operation_id', '=', id)
        .where('part', '=', part)
        .executeTakeFirst()
      return row?.text ?? null
    })
  }

  trim(beforeIso: string, limit: number): Promise<number> {
    const { aside, reader } = this.#connections
    return guarded(async () => {
      const ended = await reader
        .selectFrom('operations')
        .select('id')
        .where('ended_at', '<', beforeIso)
        .orderBy('ended_at')
        .limit(limit)
        .execute()
      if (ended.length === 0) return 0
      const ids = ended.map(({ id }) => id)
      // First, so that nothing is left of an operation that nobody finds any more.
      await aside.deleteFrom('operation_results').where('operation_id', 'in', ids).execute()
      const { numDeletedRows } = await aside
        .deleteFrom('operations')
        .where('id', 'in', ids)
        .executeTakeFirst()
      return Number(numDeletedRows)
    })
  }
}
