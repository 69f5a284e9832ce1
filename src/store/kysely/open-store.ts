import { type DatabaseUrl, parseDatabaseUrl } from '../../config/database-url.ts'
import { NodeError } from '../../errors.ts'
import type { Store } from '../store.ts'
import { KyselyStore } from './kysely-store.ts'
import { openSqlite } from './open-sqlite.ts'
import { endConnections, type StoreConnections } from './store-connections.ts'

export interface OpenStoreOptions {
  /** `sqlite:PATH`, relative to the working directory; missing folders are made. */
  readonly url: string
  /** Bears the outbox rows of this process. */
  readonly nodeId: string
  /** A server: refuses to open what another server has open, and adopts what a dead one left behind. */
  readonly lock: boolean
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

async function connect(url: DatabaseUrl, { nodeId, lock }: OpenStoreOptions): Promise<StoreConnections> {
  if (url.kind !== 'sqlite') throw new NodeError('invalid-configuration', 'not yet')
  return openSqlite({ path: url.path, nodeId, lock })
}

function databaseUrl(text: string): DatabaseUrl {
  try {
    return parseDatabaseUrl(text)
  } catch (fault) {
    const form = fault instanceof Error ? fault.message : String(fault)
    throw new NodeError('invalid-configuration', `a database URL must be ${form}`)
  }
}
