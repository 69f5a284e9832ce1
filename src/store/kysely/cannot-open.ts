import { NodeError } from '../../errors.ts'

/** `database-unavailable`, for the operator. `where` and `why` must not hold the password. */
export function cannotOpen(where: string, why: string, cause: unknown): NodeError {
  return new NodeError('database-unavailable', `the database ${where} cannot be opened: ${why}`, { cause })
}
