import { connect, type Socket } from 'node:net'
import { createConnection } from 'mysql2'
import type { Connection, QueryResult as MysqlResult, SslOptions } from 'mysql2'
import type { QueryResult } from 'kysely'
import type { ServerUrl, TlsMode } from '../../config/database-url.ts'
import { within } from '../../lib/within.ts'
import { toMysql } from './mysql-values.ts'
import type { Wire } from './server-connection.ts'
import type { ServerTimeouts } from './server-timeouts.ts'

/** A connection to MySQL or MariaDB through `mysql2`. */
export class MysqlWire implements Wire {
  readonly isPipelined = false
  readonly #connection: Connection
  readonly #socket: Socket

  private constructor(connection: Connection, socket: Socket) {
    this.#connection = connection
    this.#socket = socket
    // Without a listener, a server that ends would end this process.
    connection.on('error', () => this.destroy())
  }

  static async open(url: ServerUrl, timeouts: ServerTimeouts): Promise<MysqlWire> {
    const { host, port, user, password, database } = url
    const ssl = tlsOptions(url.tls)
    // mysql2's own `destroy` waits for a peer that may be gone.
    const socket = connect({ host, port, noDelay: true, keepAlive: true })
    const connection = createConnection({
      stream: socket,
      host,
      port,
      user,
      password,
      database,
      ...(ssl !== undefined && { ssl }),
      charset: 'utf8mb4',
      connectTimeout: timeouts.connectMs,
      stringifyObjects: true,
    })
    const wire = new MysqlWire(connection, socket)
    try {
      await new Promise<void>((resolve, reject) => {
        connection.once('connect', () => resolve())
        connection.once('error', reject)
      })
      await within(wire.#set(timeouts), timeouts.connectMs, () => new Error('the server does not answer'))
    } catch (error) {
      wire.destroy()
      throw error
    }
    return wire
  }

  get isBroken(): boolean {
    return this.#socket.destroyed
  }

  async query(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const result = await this.#ask(sql, parameters.map(toMysql))
    if (Array.isArray(result)) return { rows: result }
    const { affectedRows, insertId } = result
    return {
      rows: [],
      numAffectedRows: BigInt(affectedRows),
      ...(insertId > 0 && { insertId: BigInt(insertId) }),
    }
  }

  begin(): Promise<unknown> {
    return this.#ask('start transaction')
  }

  commit(): Promise<unknown> {
    return this.#ask('commit')
  }

  rollback(): Promise<unknown> {
    return this.#ask('rollback')
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#connection.end(() => resolve())
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /**
   * Neither the server's settings nor its time zone count here. Escaping by backslash is what `mysql2`
   * does, so that the mode that turns it off must be off.
   */
  async #set(timeouts: ServerTimeouts): Promise<void> {
    const { rows } = await this.query('select version() as version', [])
    const isMariaDb = JSON.stringify(rows).includes('MariaDB')
    const limit = isMariaDb
      ? `max_statement_time = ${timeouts.statementMs / 1000}`
      : `max_execution_time = ${timeouts.statementMs}`
    await this.#ask(
      `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', autocommit = 1,` +
        ` innodb_lock_wait_timeout = ${seconds(timeouts.lockMs)},` +
        ` wait_timeout = ${seconds(timeouts.idleInTransactionMs)}, ${limit}`,
    )
    await this.#ask('set session transaction isolation level read committed')
  }

  #ask(sql: string, values: (string | number | Buffer | null)[] = []) {
    return new Promise<Exclude<Answer, unknown[]> | unknown[]>((resolve, reject) => {
      this.#connection.query<Answer>({ sql, values }, (error, result) => {
        if (error === null) resolve(result)
        else reject(error)
      })
    })
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

type Answer = Extract<MysqlResult, { affectedRows: number } | unknown[]>

function tlsOptions(mode: TlsMode): SslOptions | undefined {
  if (mode === 'disable') return undefined
  const isVerified = mode === 'verify-full'
  return { rejectUnauthorized: isVerified, verifyIdentity: isVerified }
}
