import { CompiledQuery, SqliteDialect, SqliteDriver } from 'kysely'
import type { DatabaseConnection, Driver } from 'kysely'
import type { SqliteConnection } from './sqlite-database.ts'

/** Kysely's SQLite dialect over libsql, with transactions that write from the start. */
export class LibsqlDialect extends SqliteDialect {
  readonly #database: SqliteConnection

  constructor(database: SqliteConnection) {
    super({ database })
    this.#database = database
  }

  override createDriver(): Driver {
    return new ImmediateDriver({ database: this.#database })
  }
}

class ImmediateDriver extends SqliteDriver {
  // A deferred transaction that reads before it writes fails at once when another process wrote in
  // between, busy timeout or not (SQLite, "Isolation in SQLite": SQLITE_BUSY_SNAPSHOT).
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}
