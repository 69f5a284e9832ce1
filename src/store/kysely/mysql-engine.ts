import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely'
import { mysqlIdiom } from './mysql-idiom.ts'
import { MysqlWire } from './mysql-wire.ts'
import { codeOf, isUnreachable, type ServerEngine } from './server-engine.ts'

const AWAY_CODES: ReadonlySet<unknown> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
])

/** MySQL 8 and MariaDB. */
export const MYSQL_ENGINE: ServerEngine = {
  syntax: {
    createAdapter: () => new MysqlAdapter(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  },
  connect: (url, timeouts) => MysqlWire.open(url, timeouts),
  idiomOf: async (wire) => {
    const { rows } = await wire.query(
      'select version() as version, @@session.auto_increment_increment as step',
      [],
    )
    const [row] = rows
    if (typeof row !== 'object' || row === null || !('version' in row) || !('step' in row)) {
      throw new Error('it does not say its version')
    }
    return mysqlIdiom({ isMariaDb: String(row.version).includes('MariaDB'), serialStep: Number(row.step) })
  },
  isAway: (error) => isUnreachable(error) || AWAY_CODES.has(codeOf(error)),
}
