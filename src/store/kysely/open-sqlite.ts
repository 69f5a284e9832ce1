import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Kysely, sql } from 'kysely'
import { NodeError } from '../../errors.ts'
import { cannotOpen } from './cannot-open.ts'
import { migrate } from './migrate.ts'
import type { Schema } from './schema.ts'
import { LibsqlDialect } from './sqlite-dialect.ts'
import { SQLITE_IDIOM } from './sqlite-idiom.ts'
import { lockSqlite } from './sqlite-lock.ts'
import { endConnections, type StoreConnections } from './store-connections.ts'

export interface OpenSqliteOptions {
  /** Relative to the working directory; missing folders are made. */
  readonly path: string
  readonly nodeId: string
  /** Whether to be the only server, and heir to all others. */
  readonly lock: boolean
}

/** @throws NodeError `database-unavailable`, `database-in-use` */
export async function openSqlite(options: OpenSqliteOptions): Promise<StoreConnections> {
  const path = resolve(options.path)
  let unlock: (() => void) | undefined
  let connections: StoreConnections | undefined
  try {
    mkdirSync(dirname(path), { recursive: true })
    if (options.lock) unlock = lockSqlite(path)
    connections = await connect(path, () => unlock?.())
    await migrate(connections.writer, SQLITE_IDIOM.columns)
    if (options.lock) await adopt(connections.writer, options.nodeId)
    return connections
  } catch (cause) {
    if (connections === undefined) unlock?.()
    else await endConnections(connections)
    throw cause instanceof NodeError ? cause : cannotOpen(path, reason(path, cause), cause)
  }
}

async function connect(path: string, release: () => void): Promise<StoreConnections> {
  const writer = new Kysely<Schema>({
    dialect: new LibsqlDialect({
      path,
      isReader: false,
      // FULL syncs the write-ahead log at each commit: without it a commit may be lost with the power.
      setup: 'pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on',
    }),
  })
  const reader = new Kysely<Schema>({
    dialect: new LibsqlDialect({ path, isReader: true, setup: 'pragma query_only = on' }),
  })
  try {
    // The first question opens the file.
    for (const db of [writer, reader]) await sql`select 1`.execute(db)
  } catch (error) {
    await writer.destroy()
    throw error
  }
  return { idiom: SQLITE_IDIOM, writer, reader, aside: writer, release }
}

/** Whoever holds the lock is the only server, so that rows and leases of other nodes are of dead ones. */
async function adopt(db: Kysely<Schema>, nodeId: string): Promise<void> {
  await db.updateTable('outbox').set({ node: nodeId }).where('node', '<>', nodeId).execute()
  await db.deleteFrom('nodes').execute()
}

/** libsql says no more than "14" of a file it cannot open: look what is there. */
function reason(path: string, cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  if (!said.includes('Unable to open')) return said
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ? 'it is a folder'
    : 'no permission'
}
