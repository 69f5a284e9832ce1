import { setTimeout as delay } from 'node:timers/promises'
import { Kysely } from 'kysely'
import { describeServer, type ServerUrl } from '../../config/database-url.ts'
import { within } from '../../lib/within.ts'
import { cannotOpen } from './cannot-open.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { Idiom } from './idiom.ts'
import { migrate } from './migrate.ts'
import { MYSQL_ENGINE } from './mysql-engine.ts'
import { POSTGRES_ENGINE } from './postgres-engine.ts'
import type { Schema } from './schema.ts'
import { ServerConnection } from './server-connection.ts'
import { ServerDialect } from './server-dialect.ts'
import type { ServerEngine } from './server-engine.ts'
import { SERVER_TIMEOUTS, type ServerTimeouts } from './server-timeouts.ts'
import type { StoreConnections } from './store-connections.ts'

export interface OpenServerOptions {
  /** How long to wait for a server that is not there yet. */
  readonly waitMs: number
  /** Told once, when waiting begins. */
  readonly onWaiting: (where: string, why: string) => void
  readonly timeouts?: Partial<ServerTimeouts> | undefined
}

interface Server {
  readonly engine: ServerEngine
  readonly url: ServerUrl
  readonly timeouts: ServerTimeouts
}

const MAX_READERS = 8
const MAX_WAITING = 1000
// Less than `idleInTransactionMs`, after which MySQL ends any connection that asks nothing.
const IDLE_PART = 2 / 3
const RETRY_MS = 250
// Tables may be large, and other nodes may be at it.
const MIGRATION_MS = 600_000

const ENGINES: Readonly<Record<ServerUrl['kind'], ServerEngine>> = {
  postgres: POSTGRES_ENGINE,
  mysql: MYSQL_ENGINE,
}

/** @throws NodeError `database-unavailable` */
export async function openServer(url: ServerUrl, options: OpenServerOptions): Promise<StoreConnections> {
  const server = {
    engine: ENGINES[url.kind],
    url,
    timeouts: { ...SERVER_TIMEOUTS, ...options.timeouts },
  }
  try {
    const idiom = await identify(server, options)
    await migrateServer(server, idiom)
    const reader = kysely(server, MAX_READERS)
    return { idiom, writer: kysely(server, 1), reader, aside: reader, release: () => undefined }
  } catch (cause) {
    throw cannotOpen(describeServer(url), reason(cause), cause)
  }
}

/** The first connection: waits until there is a server. */
async function identify(server: Server, { waitMs, onWaiting }: OpenServerOptions): Promise<Idiom> {
  const { engine, url } = server
  const until = performance.now() + waitMs
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await ask(server)
    } catch (error) {
      if (!engine.isAway(error) || performance.now() >= until) throw error
      if (isFirst) onWaiting(describeServer(url), reason(error))
      await delay(RETRY_MS)
    }
  }
}

async function ask({ engine, url, timeouts }: Server): Promise<Idiom> {
  const wire = await engine.connect(url, timeouts)
  try {
    return await within(engine.idiomOf(wire), timeouts.statementMs, () => new Error('it does not answer'))
  } finally {
    wire.destroy()
  }
}

async function migrateServer(server: Server, { columns }: Idiom): Promise<void> {
  const { timeouts } = server
  const slow = {
    ...timeouts,
    statementMs: MIGRATION_MS,
    lockMs: MIGRATION_MS,
    idleInTransactionMs: MIGRATION_MS,
  }
  const db = kysely({ ...server, timeouts: slow }, 1)
  try {
    await migrate(db, columns)
  } finally {
    await db.destroy()
  }
}

function kysely({ engine, url, timeouts }: Server, maxConnections: number): Kysely<Schema> {
  const pool = new ConnectionPool({
    connect: async () => new ServerConnection(await engine.connect(url, timeouts), deadline(timeouts)),
    maxConnections,
    maxWaiting: MAX_WAITING,
    acquireTimeoutMs: timeouts.acquireMs,
    idleTimeoutMs: timeouts.idleInTransactionMs * IDLE_PART,
  })
  return new Kysely<Schema>({ dialect: new ServerDialect(engine.syntax, pool) })
}

/** The server's own time-out comes first, and leaves the connection. */
function deadline({ statementMs }: ServerTimeouts): number {
  return statementMs * 1.5
}

/** Of several addresses that were tried, the first one's failure. */
function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${reason(error.cause)}`
}
