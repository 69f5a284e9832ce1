import type { Operation, OperationStatus } from '../../../protocol/payload/operation.ts'
import type { OperationRow, OperationSummary } from '../../store/operations.ts'
import type { NewEvent } from '../../stream/event-row.ts'

const DESTINATION = '/user/queue/operations'

/** Types whose result can be downloaded. */
const WITH_RESULT: ReadonlySet<string> = new Set(['history-export'])

export function operationStatus(row: OperationSummary): OperationStatus {
  const { id, state, done, total, isCancelRequested, createdAt, startedAt, endedAt } = row
  return {
    id,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rows of newer nodes may bear types of theirs
    type: row.type as OperationStatus['type'],
    state,
    done,
    ...(total !== null && { total }),
    ...(row.error !== null && { error: errorOf(row.error) }),
    isCancelRequested,
    hasResult: state === 'SUCCEEDED' && WITH_RESULT.has(row.type),
    createdAt,
    ...(startedAt !== null && { startedAt }),
    ...(endedAt !== null && { endedAt }),
  }
}

export function operationInfo(row: OperationRow): Operation {
  return { ...operationStatus(row), params: { ...Object(row.params) } }
}

/** Tells all sessions of its user how far it is. */
export function operationEvent(row: OperationRow): NewEvent {
  return {
    stream: `/user/${row.user}/queue/operations`,
    address: { kind: 'user', user: row.user, destination: DESTINATION },
    payload: operationStatus(row),
  }
}

/** What clients are told of a failure. */
export interface OperationError {
  readonly code: string
  readonly message: string
}

function errorOf(error: unknown): OperationError {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is ever written
  return error as OperationError
}
