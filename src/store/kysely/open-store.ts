import { randomBytes } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Kysely, Migrator } from 'kysely'
import { NodeError } from '../../errors.ts'
import type { Store } from '../store.ts'
import { KyselySettings } from './identity.ts'
import { KyselyStore } from './kysely-store.ts'
import type { StoreConnections } from './kysely-store.ts'
import { MIGRATIONS } from './migrations/migrations.ts'
import type { Schema } from './schema.ts'
import { SqliteConnection } from './sqlite-database.ts'
import { LibsqlDialect } from './sqlite-dialect.ts'
import { lockSqlite } from './sqlite-lock.ts'

export interface OpenStoreOptions {
  /** `sqlite:PATH`, relative to the working directory; missing folders are made. */
  readonly url: string
  /** Bears the outbox rows of this process. */
  readonly nodeId: string
  /** A server: refuses to open what another server has open, and adopts what a dead one left behind. */
  readonly lock: boolean
}

const BUSY_TIMEOUT_MS = 5000
// SQLite's SQLITE_MAX_VARIABLE_NUMBER is 32766 since 3.32.
const MAX_PARAMETERS = 32_000

/**
 * Opens the database, brings its tables up to date and answers the store.
 * @throws NodeError `database-unavailable` (path and reason in the message), `database-in-use`,
 * `invalid-configuration`
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const path = sqlitePath(options.url)
  const unlock = prepare(path, options.lock)
  let connections: StoreConnections | undefined
  try {
    connections = connect(path, unlock)
    await migrate(connections.writer)
    if (options.lock) await adopt(connections.writer, options.nodeId)
    const settings = new KyselySettings(connections.writer)
    const epoch = await settings.getOrCreate('epoch', () => randomBytes(6).toString('base64url'))
    return new KyselyStore({ connections, nodeId: options.nodeId, epoch })
  } catch (cause) {
    if (connections === undefined) unlock()
    else await end(connections)
    throw cannotOpen(path, cause)
  }
}

async function end(connections: StoreConnections): Promise<void> {
  await connections.reader.destroy()
  await connections.writer.destroy()
  connections.release()
}

function sqlitePath(url: string): string {
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (path === undefined || path === ':memory:') {
    throw new NodeError('invalid-configuration', 'a database URL is sqlite:PATH, and PATH is a file')
  }
  return resolve(path)
}

function prepare(path: string, lock: boolean): () => void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    return lock ? lockSqlite(path) : () => undefined
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
}

function connect(path: string, unlock: () => void): StoreConnections {
  const database = new SqliteConnection(path, { busyTimeoutMs: BUSY_TIMEOUT_MS })
  // FULL syncs the write-ahead log at each commit: without it a commit may be lost with the power.
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  const reading = new SqliteConnection(path, { busyTimeoutMs: BUSY_TIMEOUT_MS })
  reading.exec('pragma query_only = on')
  return {
    writer: new Kysely<Schema>({ dialect: new LibsqlDialect(database) }),
    reader: new Kysely<Schema>({ dialect: new LibsqlDialect(reading) }),
    maxParameters: MAX_PARAMETERS,
    release: () => {
      reading.close() // Kysely does not close what it never asked
      database.close()
      unlock()
    },
  }
}

async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the tables cannot be brought up to date', { cause: error })
}

// Whoever holds the lock is the only server, so that rows of other nodes are of dead ones.
async function adopt(db: Kysely<Schema>, nodeId: string): Promise<void> {
  await db.updateTable('outbox').set({ node: nodeId }).where('node', '<>', nodeId).execute()
}

function cannotOpen(path: string, cause: unknown): Error {
  if (cause instanceof NodeError) return cause
  return new NodeError(
    'database-unavailable',
    `the database ${path} cannot be opened: ${reason(path, cause)}`,
    { cause },
  )
}

/** libsql says no more than "14" of a file it cannot open: look what is there. */
function reason(path: string, cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  if (!said.includes('Unable to open')) return said
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ? 'it is a folder'
    : 'no permission'
}
