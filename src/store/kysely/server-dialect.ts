import type { DatabaseIntrospector, Dialect, DialectAdapter, Driver, Kysely, QueryCompiler } from 'kysely'
import type { ConnectionPool } from './connection-pool.ts'
import type { ServerConnection } from './server-connection.ts'

/** How Kysely writes the SQL of a kind of database. */
export interface SqlSyntax {
  createAdapter(): DialectAdapter
  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector
  createQueryCompiler(): QueryCompiler
}

/** Kysely over a pool of ours: its own dialects know neither time-outs nor broken connections. */
export class ServerDialect implements Dialect {
  readonly #syntax: SqlSyntax
  readonly #pool: ConnectionPool<ServerConnection>

  constructor(syntax: SqlSyntax, pool: ConnectionPool<ServerConnection>) {
    this.#syntax = syntax
    this.#pool = pool
  }

  createAdapter(): DialectAdapter {
    return this.#syntax.createAdapter()
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return this.#syntax.createIntrospector(db)
  }

  createQueryCompiler(): QueryCompiler {
    return this.#syntax.createQueryCompiler()
  }

  createDriver(): Driver {
    return new PoolDriver(this.#pool)
  }
}

class PoolDriver implements Driver {
  readonly #pool: ConnectionPool<ServerConnection>

  constructor(pool: ConnectionPool<ServerConnection>) {
    this.#pool = pool
  }

  async init(): Promise<void> {
    // Connections are made when they are wanted.
  }

  acquireConnection(): Promise<ServerConnection> {
    return this.#pool.acquire()
  }

  async beginTransaction(connection: ServerConnection): Promise<void> {
    connection.begin()
  }

  commitTransaction(connection: ServerConnection): Promise<void> {
    return connection.commit()
  }

  rollbackTransaction(connection: ServerConnection): Promise<void> {
    return connection.rollback()
  }

  async releaseConnection(connection: ServerConnection): Promise<void> {
    this.#pool.release(connection)
  }

  destroy(): Promise<void> {
    return this.#pool.close()
  }
}
