import { type DatabaseUrl, parseDatabaseUrl } from '../../config/database-url.ts'
import { NodeError } from '../../errors.ts'
import type { Store } from '../store.ts'
import { KyselyStore } from './kysely-store.ts'
import { openServer } from './open-server.ts'
import { openSqlite } from './open-sqlite.ts'
import type { ServerTimeouts } from './server-timeouts.ts'
import { endConnections, type StoreConnections } from './store-connections.ts'

export interface OpenStoreOptions {
  /** As `parseDatabaseUrl` takes it. Of a file, missing folders are made. */
  readonly url: string
  /** Bears the outbox rows of this process. */
  readonly nodeId: string
  /**
   * A server: refuses to open a file that another server has open, and adopts what a dead one left behind.
   * Means nothing for a database on a server, which serves several.
   */
  readonly lock: boolean
  /** How long to wait for a database server that is not there yet, in milliseconds. Default 0. */
  readonly waitMs?: number
  /** Told once, when waiting begins, for the log: where, without the account, and why. */
  readonly onWaiting?: (where: string, why: string) => void
  /** Of database servers. */
  readonly timeouts?: Partial<ServerTimeouts>
}

/**
 * Opens the database, brings its tables up to date and answers the store.
 * @throws NodeError `database-unavailable` (where and why in the message), `database-in-use`,
 * `invalid-configuration`
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { nodeId } = options
  const connections = await connect(databaseUrl(options.url), options)
  try {
    return await KyselyStore.over({ connections, nodeId })
  } catch (cause) {
    await endConnections(connections)
    throw cause
  }
}

function connect(url: DatabaseUrl, options: OpenStoreOptions): Promise<StoreConnections> {
  const { nodeId, lock, waitMs = 0, onWaiting = () => undefined, timeouts } = options
  if (url.kind === 'sqlite') return openSqlite({ path: url.path, nodeId, lock })
  return openServer(url, { waitMs, onWaiting, timeouts })
}

function databaseUrl(text: string): DatabaseUrl {
  try {
    return parseDatabaseUrl(text)
  } catch (fault) {
    const form = fault instanceof Error ? fault.message : String(fault)
    throw new NodeError('invalid-configuration', `a database URL must be ${form}`)
  }
}
