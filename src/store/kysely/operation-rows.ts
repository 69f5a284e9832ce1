import type { OperationRow, OperationState, OperationSummary } from '../operations.ts'
import { checked, parseJson, toJson } from './rows.ts'
import type { OperationTable } from './schema.ts'

/** The lease apart, which is by the database's clock. */
export type OperationColumns = Omit<OperationTable, 'lease_ms'>

export function toOperation(row: OperationColumns): OperationRow {
  return { ...toSummary(row), params: parseJson(row.params), checkpoint: parseJson(row.checkpoint) }
}

export function toSummary(row: Omit<OperationColumns, 'params' | 'checkpoint'>): OperationSummary {
  const { id, type, done, total, node, run, attempts, parts } = row
  return {
    id,
    user: row.user_id,
    type,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is ever written
    state: row.state as OperationState,
    done,
    total,
    error: parseJson(row.error),
    node,
    run,
    isCancelRequested: row.is_cancel_requested !== 0,
    attempts,
    parts,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}

export function fromOperation(row: OperationRow): OperationColumns {
  const { id, type, state, done, total, node, run, attempts, parts } = row
  return checked({
    id,
    user_id: row.user,
    type,
    params: toJson(row.params),
    state,
    done,
    total,
    error: toJson(row.error),
    node,
    run,
    checkpoint: toJson(row.checkpoint),
    is_cancel_requested: row.isCancelRequested ? 1 : 0,
    attempts,
    parts,
    created_at: row.createdAt,
    started_at: row.startedAt,
    ended_at: row.endedAt,
  })
}
