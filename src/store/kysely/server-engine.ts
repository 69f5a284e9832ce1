import type { ServerUrl } from '../../config/database-url.ts'
import type { Idiom } from './idiom.ts'
import type { Wire } from './server-connection.ts'
import type { SqlSyntax } from './server-dialect.ts'
import type { ServerTimeouts } from './server-timeouts.ts'

/** A kind of database server: its driver, its SQL, its faults. */
export interface ServerEngine {
  readonly syntax: SqlSyntax
  /** Connects and logs in, within the time-out. Rejects with the driver's error. */
  connect(url: ServerUrl, timeouts: ServerTimeouts): Promise<Wire>
  /** Asks the server what it is. Rejects where it cannot serve. */
  idiomOf(wire: Wire): Promise<Idiom>
  /** Whether the server may be there soon: it is not reached, or is starting. */
  isAway(error: unknown): boolean
}

const AWAY_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
])

/** By the codes of Node's sockets. */
export function isUnreachable(error: unknown): boolean {
  return AWAY_CODES.has(codeOf(error))
}

export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
