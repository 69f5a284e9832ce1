import { join } from 'node:path'
import { addPostgresDatabase } from '../../databases/postgres-database.ts'
import { startPrivatePostgres } from '../../databases/private-postgres.ts'
import type { Database } from './contestant.ts'

/** An empty database for one relay. */
export interface RunningDatabase {
  /** `DATABASE_URL` */
  readonly url: string
  /** Of the server, where it is one. */
  readonly pid?: number
  stop(): Promise<void>
}

/**
 * A PostgreSQL has the settings that it comes with: commits wait for the disk.
 * @param dir where a database without a server keeps its file
 */
export async function startDatabase(kind: Database, dir: string): Promise<RunningDatabase> {
  if (kind === 'sqlite') {
    return { url: `sqlite:${join(dir, 'bench.db')}`, stop: async () => Promise.resolve() }
  }
  const server = await startPrivatePostgres()
  try {
    const url = await addPostgresDatabase(server.url)
    const pid = server.pid === undefined ? {} : { pid: server.pid }
    return { url, ...pid, stop: async () => server.stop() }
  } catch (error) {
    await server.stop()
    throw error
  }
}
