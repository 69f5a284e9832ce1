import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { within } from '../../lib/within.ts'
import type { PooledConnection } from './connection-pool.ts'
import { answerGroup, StatementGroup } from './statement-group.ts'

/** One connection of a driver, in one shape for all drivers. Values are converted behind it, both ways. */
export interface Wire {
  /** Statements may be sent before those ahead of them are answered. */
  readonly isPipelined: boolean
  /** It has ended, whoever ended it. */
  readonly isBroken: boolean
  /** Rejects with MessageError `invalid-payload` or TypeError for values that the database does not take. */
  query(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>>
  begin(): Promise<unknown>
  /** Rejects where the database rolled back instead. */
  commit(): Promise<unknown>
  rollback(): Promise<unknown>
  /** In order. May hang. */
  end(): Promise<unknown>
  /** At once. What is asked rejects or is never answered. */
  destroy(): void
}

type TransactionState = 'none' | 'wanted' | 'open'

/**
 * A connection to a server, for Kysely. Every question has an answer within `timeoutMs`: a server that
 * hangs, or a network that swallows, costs the connection.
 */
export class ServerConnection implements DatabaseConnection, PooledConnection {
  readonly #wire: Wire
  readonly #timeoutMs: number
  #transaction: TransactionState = 'none'

  constructor(wire: Wire, timeoutMs: number) {
    this.#wire = wire
    this.#timeoutMs = timeoutMs
  }

  get isBroken(): boolean {
    return this.#wire.isBroken
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const isGroup = query instanceof StatementGroup
    const answer = isGroup
      ? await answerGroup(query, (each) => this.#answer(each))
      : await this.#answer(query)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query tells what it answers
    return answer as QueryResult<R>
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('answers are not streamed')
  }

  /** Is sent with the first statement, for one round trip less. */
  begin(): void {
    this.#transaction = 'wanted'
  }

  /** Where the connection breaks before the answer, nobody knows whether it was committed. */
  async commit(): Promise<void> {
    const isOpen = this.#transaction === 'open'
    if (isOpen) await this.#timed(() => this.#wire.commit())
    this.#transaction = 'none'
  }

  async rollback(): Promise<void> {
    const isOpen = this.#transaction === 'open'
    this.#transaction = 'none'
    if (!isOpen || this.isBroken) return
    // The server rolls back what a connection leaves that ends.
    await this.#timed(() => this.#wire.rollback()).catch(() => this.#wire.destroy())
  }

  async end(): Promise<void> {
    if (!this.isBroken) await this.#timed(() => this.#wire.end())
  }

  async #answer({ sql, parameters }: CompiledQuery): Promise<QueryResult<unknown>> {
    const begun = this.#begun()
    if (!this.#wire.isPipelined) await begun
    const [, answer] = await Promise.all([begun, this.#timed(() => this.#wire.query(sql, parameters))])
    return answer
  }

  async #begun(): Promise<void> {
    if (this.#transaction !== 'wanted') return
    this.#transaction = 'open'
    await this.#timed(() => this.#wire.begin())
  }

  #timed<R>(question: () => Promise<R>): Promise<R> {
    return within(question(), this.#timeoutMs, () => {
      this.#wire.destroy()
      return new Error(`the database did not answer within ${this.#timeoutMs} ms`)
    })
  }
}
