import { storable } from './rows.ts'

/**
 * The one place where values are converted on their way in: `mysql2` takes undefined for NULL, a boolean
 * for a number, and makes SQL of objects and arrays.
 *
 * @throws TypeError for what is no plain value; MessageError `invalid-payload` for texts that differ elsewhere
 */
export function toMysql(value: unknown): string | number | Buffer | null {
  if (typeof value === 'string') return storable(value)
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`no MySQL value for a ${typeof value}`)
}
