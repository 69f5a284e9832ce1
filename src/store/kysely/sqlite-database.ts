import Database from 'libsql'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

type Statement = ReturnType<InstanceType<typeof Database>['prepare']>

const MAX_CACHED_STATEMENTS = 200

/**
 * One connection to an SQLite file, in the shape that Kysely asks for. The one place where values are
 * converted on their way in, because libsql 0.5 ends the process on a boolean, takes undefined, NaN
 * and missing parameters for NULL, and stores integers as REAL.
 */
export class SqliteConnection implements SqliteDatabase {
  readonly #db: InstanceType<typeof Database>
  readonly #statements = new Map<string, CachedStatement>()

  /** Opens or makes the file. Throws libsql's error. */
  constructor(path: string, options: { busyTimeoutMs: number }) {
    this.#db = new Database(path)
    this.#db.exec(`pragma busy_timeout = ${options.busyTimeoutMs}`)
  }

  /** Statements without parameters or answer. */
  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** Least recently used statements beyond a bound are forgotten. */
  prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = new CachedStatement(this.#db.prepare(sql), countParameters(sql))
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined && this.#statements.size >= MAX_CACHED_STATEMENTS)
        this.#statements.delete(oldest)
    } else {
      this.#statements.delete(sql)
    }
    this.#statements.set(sql, statement)
    return statement
  }

  /** Idempotent. */
  close(): void {
    if (!this.#db.open) return
    this.#statements.clear()
    this.#db.close()
  }
}

class CachedStatement implements SqliteStatement {
  readonly reader: boolean
  readonly #statement: Statement
  readonly #parameterCount: number

  constructor(statement: Statement, parameterCount: number) {
    this.#statement = statement
    this.#parameterCount = parameterCount
    this.reader = statement.reader
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(this.#bind(parameters))
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(this.#bind(parameters))
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(this.#bind(parameters))
  }

  #bind(parameters: readonly unknown[]): unknown[] {
    if (parameters.length !== this.#parameterCount) {
      throw new TypeError(`${this.#parameterCount} parameters wanted, ${parameters.length} given`)
    }
    return parameters.map(toSqlite)
  }
}

/** @throws TypeError for what SQLite has no value for */
export function toSqlite(value: unknown): string | number | bigint | Buffer | null {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'number' && Number.isFinite(value)) {
    return Number.isSafeInteger(value) ? BigInt(value) : value
  }
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`no SQLite value for a ${typeof value}`)
}

/** Kysely writes texts as parameters, so that a question mark in SQL is always one. */
function countParameters(sql: string): number {
  let count = 0
  for (let i = sql.indexOf('?'); i !== -1; i = sql.indexOf('?', i + 1)) count += 1
  return count
}
