import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { codeOf, isUnreachable, type ServerEngine } from './server-engine.ts'
import { POSTGRES_IDIOM } from './postgres-idiom.ts'
import { PostgresWire } from './postgres-wire.ts'

// cannot_connect_now, too_many_connections; and what pg says of a peer that goes away or says nothing.
const AWAY_STATES: ReadonlySet<unknown> = new Set(['57P03', '53300'])
const AWAY_MESSAGE = /timeout expired|terminated/

export const POSTGRES_ENGINE: ServerEngine = {
  syntax: {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
  connect: (url, timeouts) => PostgresWire.open(url, timeouts),
  idiomOf: async (wire) => {
    const { rows } = await wire.query("select current_setting('server_encoding') as encoding", [])
    const [row] = rows
    const encoding = typeof row === 'object' && row !== null && 'encoding' in row ? row.encoding : undefined
    if (encoding !== 'UTF8') throw new Error(`its encoding is ${String(encoding)}; it must be UTF8`)
    return POSTGRES_IDIOM
  },
  isAway: (error) =>
    isUnreachable(error) ||
    AWAY_STATES.has(codeOf(error)) ||
    (error instanceof Error && AWAY_MESSAGE.test(error.message)),
}
