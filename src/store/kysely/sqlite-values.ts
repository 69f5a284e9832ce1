import { storable } from './rows.ts'
import type { SqliteValue } from './sqlite-messages.ts'

/**
 * The one place where values are converted on their way in, because libsql 0.5 ends the process on a
 * boolean, takes undefined, NaN and missing parameters for NULL, and stores integers as REAL.
 * @throws TypeError for what SQLite has no value for; MessageError `invalid-payload` for texts that differ elsewhere
 */
export function toSqlite(value: unknown): SqliteValue {
  if (typeof value === 'string') return storable(value)
  if (value === null) return value
  if (typeof value === 'number' && Number.isFinite(value)) {
    return Number.isSafeInteger(value) ? BigInt(value) : value
  }
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  // A copy, because a view crosses to another thread with all of its buffer, which may be a shared pool.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new TypeError(`no SQLite value for a ${typeof value}`)
}
