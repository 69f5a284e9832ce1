import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import type { PrivateDatabase } from '../../databases/private-database.ts'
import { startPrivateMariaDb } from '../../databases/private-mariadb.ts'
import { startPrivatePostgres } from '../../databases/private-postgres.ts'
import { useMariaDb, useOwnMariaDb } from '../support/mariadb.ts'
import { useOwnPostgres, usePostgres } from '../support/postgres.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Connection {
  /** Resolves with the first column of the first row as text, or undefined. */
  query(sql: string): Promise<string | undefined>
  close(): Promise<void>
}

/** One kind of server, in what these tests need of it. */
export interface Kind {
  readonly name: string
  /** For a program that imports it. */
  readonly start: { readonly module: string; readonly name: string }
  useDatabase(t: Teardown): Promise<string>
  useServer(t: Teardown): Promise<{ url: string; server: PrivateDatabase }>
  connect(url: string): Promise<Connection>
  /** Counts the tables of the database that the connection is in. */
  readonly countTables: string
}

export const KINDS: readonly Kind[] = [
  {
    name: 'PostgreSQL',
    start: { module: 'private-postgres.ts', name: startPrivatePostgres.name },
    useDatabase: usePostgres,
    useServer: useOwnPostgres,
    connect: connectPostgres,
    countTables: `SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'`,
  },
  {
    name: 'MariaDB',
    start: { module: 'private-mariadb.ts', name: startPrivateMariaDb.name },
    useDatabase: useMariaDb,
    useServer: useOwnMariaDb,
    connect: connectMariaDb,
    countTables: 'SELECT count(*) FROM information_schema.tables WHERE table_schema = database()',
  },
]

async function connectPostgres(url: string): Promise<Connection> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: async (sql) => textOf((await client.query({ text: sql, rowMode: 'array' })).rows),
    close: async () => client.end(),
  }
}

async function connectMariaDb(url: string): Promise<Connection> {
  const connection = await createConnection({ uri: url, rowsAsArray: true })
  connection.on('error', () => undefined)
  return {
    query: async (sql) => textOf((await connection.query(sql))[0]),
    close: async () => connection.destroy(),
  }
}

function textOf(rows: unknown): string | undefined {
  if (!Array.isArray(rows) || !Array.isArray(rows[0])) return undefined
  return String(rows[0][0])
}
