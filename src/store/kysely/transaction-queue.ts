import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { MessageError } from '../../errors.ts'
import { backoffMs } from '../../lib/backoff.ts'
import { within } from '../../lib/within.ts'
import type { StoreTransaction } from '../store.ts'
import { unavailable } from './failures.ts'
import type { Idiom } from './idiom.ts'
import { KyselyTransaction } from './kysely-transaction.ts'
import type { Schema } from './schema.ts'

export interface TransactionQueueOptions {
  /** One connection. */
  readonly writer: Kysely<Schema>
  readonly idiom: Idiom
  readonly nodeId: string
}

const MAX_WAITING = 1000
// Longer than one statement may take, so that only those give up who wait behind several that hang.
const MAX_WAIT_MS = 15_000
const MAX_ATTEMPTS = 5
const PAUSE_MS = 10
const MAX_PAUSE_MS = 250

interface Attempt<R> {
  readonly outcome: { readonly value: R } | { readonly error: unknown }
  /** The database gave it up for another one's sake. */
  readonly isContention: boolean
}

/** Runs transactions one after the other, in the order of calls, and those again that met with contention. */
export class TransactionQueue {
  readonly #options: TransactionQueueOptions
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #isClosed = false

  constructor(options: TransactionQueueOptions) {
    this.#options = options
  }

  /** `Store.transact` says what it does. Work that asks `db` itself passes on what the database refused. */
  run<R>(work: (tx: StoreTransaction, db: Kysely<Schema>) => Promise<R>): Promise<R> {
    if (this.#isClosed) return Promise.reject(unavailable(new Error('the store is closed')))
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new MessageError('too-many-pending', 'too many transactions are waiting'))
    }
    this.#waiting += 1
    const turn = this.#last
    const result = this.#inTurn(turn, work)
    // Whoever gave up waiting has not run: the next one still waits for those before.
    this.#last = Promise.allSettled([turn, result])
    return result
  }

  /** Takes no more, and waits for those that were called. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
  }

  async #inTurn<R>(
    turn: Promise<unknown>,
    work: (tx: StoreTransaction, db: Kysely<Schema>) => Promise<R>,
  ): Promise<R> {
    try {
      await within(turn, MAX_WAIT_MS, () => unavailable(new Error('those before it take too long')))
      return await this.#repeat(work)
    } finally {
      this.#waiting -= 1
    }
  }

  async #repeat<R>(work: (tx: StoreTransaction, db: Kysely<Schema>) => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      const { outcome, isContention } = await this.#attempt(work)
      if ('value' in outcome) return outcome.value
      if (!isContention || attempt === MAX_ATTEMPTS) throw outcome.error
      await delay(backoffMs(attempt, PAUSE_MS, MAX_PAUSE_MS))
    }
  }

  async #attempt<R>(work: (tx: StoreTransaction, db: Kysely<Schema>) => Promise<R>): Promise<Attempt<R>> {
    const { writer, idiom, nodeId } = this.#options
    let tx: KyselyTransaction | undefined
    let refusal: { readonly error: unknown } | undefined
    try {
      const value = await writer.transaction().execute(async (db) => {
        tx = new KyselyTransaction({ db, idiom, nodeId })
        try {
          const result = await work(tx, db)
          // Work may have passed over what the database refused; there is nothing to commit then.
          if (tx.failure !== undefined) throw unavailable(tx.failure.cause)
          await tx.flush()
          return result
        } catch (error) {
          refusal = { error }
          throw error
        }
      })
      return { outcome: { value }, isContention: false }
    } catch (error) {
      if (tx?.failure !== undefined) {
        const { cause, isContention } = tx.failure
        return { outcome: { error: unavailable(cause) }, isContention }
      }
      if (refusal !== undefined) return { outcome: refusal, isContention: idiom.isContention(refusal.error) }
      return { outcome: { error: unavailable(error) }, isContention: idiom.isContention(error) }
    }
  }
}
