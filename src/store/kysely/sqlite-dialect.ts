import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, Kysely, QueryResult } from 'kysely'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import { Fifo } from '../../lib/fifo.ts'
import { answerGroup, StatementGroup } from './statement-group.ts'
import { MAX_WAITING, SqliteThread, type SqliteThreadOptions } from './sqlite-thread.ts'

export interface LibsqlDialectOptions extends SqliteThreadOptions {
  /** For questions only: they do not wait for one another, and there are no transactions. */
  readonly isReader: boolean
}

/**
 * Kysely's SQLite over libsql on a thread of its own. The file is opened with the first statement and
 * closed with `destroy()`; where it cannot be opened, the statement rejects with SqliteError.
 * Transactions write from the start; streamed answers are not offered.
 */
export class LibsqlDialect implements Dialect {
  readonly #options: LibsqlDialectOptions

  constructor(options: LibsqlDialectOptions) {
    this.#options = options
  }

  createAdapter(): SqliteAdapter {
    return new LibsqlAdapter()
  }

  createDriver(): Driver {
    return new ThreadDriver(this.#options)
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db)
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }
}

class ThreadDriver implements Driver {
  readonly #options: LibsqlDialectOptions
  readonly #owners = new Fifo<Deferred<void>>()
  #connection: ThreadConnection | undefined
  #isTaken = false

  constructor(options: LibsqlDialectOptions) {
    this.#options = options
  }

  async init(): Promise<void> {
    this.#connection = new ThreadConnection(await SqliteThread.open(this.#options))
  }

  async acquireConnection(): Promise<ThreadConnection> {
    if (this.#connection === undefined) throw new Error('the database is not open')
    if (this.#options.isReader) return this.#connection
    if (this.#isTaken) {
      if (this.#owners.size >= (this.#options.maxWaiting ?? MAX_WAITING))
        throw new Error('too many transactions are waiting')
      const turn = deferred()
      this.#owners.push(turn)
      await turn.promise
    }
    this.#isTaken = true
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    const next = this.#owners.shift()
    if (next === undefined) this.#isTaken = false
    else next.resolve()
  }

  async beginTransaction(connection: ThreadConnection): Promise<void> {
    if (this.#options.isReader) throw new Error('a reader has no transactions')
    connection.begin()
  }

  commitTransaction(connection: ThreadConnection): Promise<void> {
    return connection.commit()
  }

  rollbackTransaction(connection: ThreadConnection): Promise<void> {
    return connection.rollback()
  }

  async destroy(): Promise<void> {
    await this.#connection?.close()
  }
}

type TransactionState = 'none' | 'wanted' | 'open'

class ThreadConnection implements DatabaseConnection {
  readonly #thread: SqliteThread
  #transaction: TransactionState = 'none'

  constructor(thread: SqliteThread) {
    this.#thread = thread
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const isGroup = query instanceof StatementGroup
    const answer = isGroup
      ? await answerGroup(query, (each) => this.#answer(each))
      : await this.#answer(query)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query tells what it answers
    return answer as QueryResult<R>
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('answers of SQLite are not streamed')
  }

  /** Is sent with the first statement: a way to the thread and back costs more than most statements. */
  begin(): void {
    this.#transaction = 'wanted'
  }

  async commit(): Promise<void> {
    await this.#execute('commit', [])
    this.#transaction = 'none'
  }

  async rollback(): Promise<void> {
    const isOpen = this.#transaction === 'open'
    this.#transaction = 'none'
    // Fails where SQLite has rolled back by itself, or the thread is gone. A transaction that stays open
    // beyond this is rolled back by the next one.
    if (isOpen) await this.#thread.execute('rollback', [], true).catch(() => undefined)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  async #answer({ sql, parameters }: CompiledQuery): Promise<QueryResult<unknown>> {
    const { rows = [], changes, lastInsertRowid } = await this.#execute(sql, parameters)
    return {
      rows: [...rows],
      ...(changes === undefined ? {} : { numAffectedRows: BigInt(changes) }),
      ...(lastInsertRowid === undefined ? {} : { insertId: BigInt(lastInsertRowid) }),
    }
  }

  async #execute(sql: string, parameters: readonly unknown[]) {
    if (this.#transaction !== 'wanted') {
      return this.#thread.execute(sql, parameters, this.#transaction === 'open')
    }
    this.#transaction = 'open'
    // A deferred transaction that reads before it writes fails at once when another process wrote in
    // between, busy timeout or not (SQLite, "Isolation in SQLite": SQLITE_BUSY_SNAPSHOT).
    const [, answer] = await Promise.all([
      this.#thread.execute('begin immediate', []),
      this.#thread.execute(sql, parameters, true),
    ])
    return answer
  }
}

/** Kysely would make the tables of a migration one by one, and leave some where it is cut off. */
class LibsqlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
