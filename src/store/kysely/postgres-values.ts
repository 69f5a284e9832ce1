import { types } from 'pg'
import { storable } from './rows.ts'

/**
 * The one place where values are converted on their way in: `pg` takes undefined for NULL, and makes texts
 * of objects, dates and functions.
 *
 * @throws TypeError for what is no plain value; MessageError `invalid-payload` for texts that differ elsewhere
 */
export function toPostgres(value: unknown): unknown {
  if (typeof value === 'string') return storable(value)
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'boolean') return value // the migrator asks with them; no column of ours is one
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (Array.isArray(value)) return value.map(toPostgres)
  throw new TypeError(`no PostgreSQL value for a ${typeof value}`)
}

const { INT8, INT4, INT2, BYTEA, BOOL } = types.builtins

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8, toNumber],
  [INT4, toNumber],
  [INT2, toNumber],
  [BYTEA, types.getTypeParser(BYTEA)],
  [BOOL, types.getTypeParser(BOOL)],
])

/** And on their way out: what `pg` calls with the type of a column. */
export function fromPostgres(type: number): (text: string) => unknown {
  return PARSERS.get(type) ?? ((text) => text)
}

function toNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('a stored number is too large')
  return value
}
