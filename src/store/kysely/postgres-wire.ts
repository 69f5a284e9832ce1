import { Client } from 'pg'
import type { QueryResult } from 'kysely'
import type { ServerUrl, TlsMode } from '../../config/database-url.ts'
import { fromPostgres, toPostgres } from './postgres-values.ts'
import type { Wire } from './server-connection.ts'
import type { ServerTimeouts } from './server-timeouts.ts'

// Statements that are prepared once for each connection. Those with few parameters have few texts; the
// bound is for what nobody thought of.
const MAX_PREPARED = 300
const MAX_PREPARED_PARAMETERS = 16

const prepared = new Map<string, string>()

/** A connection to PostgreSQL through `pg`. */
export class PostgresWire implements Wire {
  readonly isPipelined = true
  readonly #client: Client
  #isBroken = false

  private constructor(client: Client) {
    this.#client = client
    // Without a listener, a server that ends would end this process.
    client.on('error', () => this.destroy())
    client.on('end', () => {
      this.#isBroken = true
    })
  }

  static async open(url: ServerUrl, timeouts: ServerTimeouts): Promise<PostgresWire> {
    const { host, port, user, password, database } = url
    const client = new Client({
      host,
      port,
      user,
      password,
      database,
      ssl: tlsOptions(url.tls),
      pipeline: true,
      keepAlive: true,
      application_name: 'stomp-relay',
      connectionTimeoutMillis: timeouts.connectMs,
      statement_timeout: timeouts.statementMs,
      lock_timeout: timeouts.lockMs,
      idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
      types: { getTypeParser: fromPostgres },
    })
    const wire = new PostgresWire(client)
    try {
      await client.connect()
    } catch (error) {
      wire.destroy()
      throw error
    }
    return wire
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  async query(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const { rows, rowCount } = await this.#client.query<Record<string, unknown>>({
      text: sql,
      values: parameters.map(toPostgres),
      ...(parameters.length <= MAX_PREPARED_PARAMETERS && nameOf(sql)),
    })
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
  }

  begin(): Promise<unknown> {
    return this.#client.query('begin isolation level read committed')
  }

  async commit(): Promise<void> {
    const { command } = await this.#client.query('commit')
    // The answer to the commit of a transaction in which a statement failed.
    if (command !== 'COMMIT') throw new Error('the database rolled the transaction back')
  }

  rollback(): Promise<unknown> {
    return this.#client.query('rollback')
  }

  end(): Promise<void> {
    return this.#client.end()
  }

  destroy(): void {
    this.#isBroken = true
    this.#client.connection.stream.destroy()
  }
}

function nameOf(sql: string): { readonly name: string } | undefined {
  let name = prepared.get(sql)
  if (name === undefined) {
    if (prepared.size >= MAX_PREPARED) return undefined
    name = `relay-${prepared.size}`
    prepared.set(sql, name)
  }
  return { name }
}

function tlsOptions(mode: TlsMode): false | { readonly rejectUnauthorized: boolean } {
  return mode === 'disable' ? false : { rejectUnauthorized: mode === 'verify-full' }
}
