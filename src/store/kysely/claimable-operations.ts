import type { Kysely } from 'kysely'
import type { OperationState } from '../operations.ts'
import type { Idiom } from './idiom.ts'
import type { Schema } from './schema.ts'

export const UNENDED: readonly OperationState[] = ['QUEUED', 'RUNNING']

/** The oldest operation that nobody runs: see `OperationWriter.findClaimable`. */
export function claimable(db: Kysely<Schema>, { nowMs }: Pick<Idiom, 'nowMs'>) {
  return db
    .selectFrom('operations')
    .select(['operations.id', 'operations.user_id'])
    .where((e) => {
      const other = e
        .selectFrom('operations as other')
        .select('other.id')
        .whereRef('other.user_id', '=', 'operations.user_id')
        .where('other.state', '=', 'RUNNING')
      return e.or([
        e.and([e('operations.state', '=', 'QUEUED'), e.not(e.exists(other))]),
        e.and([e('operations.state', '=', 'RUNNING'), e('operations.lease_ms', '<=', nowMs)]),
      ])
    })
    .orderBy('operations.id')
    .limit(1)
}
