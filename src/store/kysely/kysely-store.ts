import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import { MessageError } from '../../errors.ts'
import type { Store, StoreTransaction } from '../store.ts'
import {
  KyselyBroadcasts,
  KyselyDeadLetters,
  KyselyMessages,
  KyselyNotifications,
  KyselyOrders,
} from './entity-readers.ts'
import { guarded, unavailable } from './failures.ts'
import { KyselyAccounts, KyselySettings } from './identity.ts'
import { KyselyTransaction } from './kysely-transaction.ts'
import type { Schema } from './schema.ts'
import { KyselyOutbox, KyselyStreamLog } from './stream-log.ts'

/** What a dialect brings: two ways to the same database. */
export interface StoreConnections {
  /** One connection; transactions run here. */
  readonly writer: Kysely<Schema>
  /** Sees what is committed, while a transaction runs too. */
  readonly reader: Kysely<Schema>
  /** The most parameters one statement may have. */
  readonly maxParameters: number
  /** Whatever else is to be given back; called last. */
  release(): void
}

export interface KyselyStoreOptions {
  readonly connections: StoreConnections
  readonly nodeId: string
  readonly epoch: string
}

const MAX_WAITING_TRANSACTIONS = 1000

export class KyselyStore implements Store {
  readonly epoch: string
  readonly accounts: KyselyAccounts
  readonly settings: KyselySettings
  readonly messages: KyselyMessages
  readonly broadcasts: KyselyBroadcasts
  readonly notifications: KyselyNotifications
  readonly orders: KyselyOrders
  readonly deadLetters: KyselyDeadLetters
  readonly log: KyselyStreamLog
  readonly outbox: KyselyOutbox
  readonly #connections: StoreConnections
  readonly #nodeId: string
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #closing: Promise<void> | undefined

  constructor(options: KyselyStoreOptions) {
    const { reader, writer, maxParameters } = options.connections
    this.#connections = options.connections
    this.#nodeId = options.nodeId
    this.epoch = options.epoch
    this.accounts = new KyselyAccounts(reader, writer)
    this.settings = new KyselySettings(writer)
    this.messages = new KyselyMessages(reader)
    this.broadcasts = new KyselyBroadcasts(reader)
    this.notifications = new KyselyNotifications(reader)
    this.orders = new KyselyOrders(reader)
    this.deadLetters = new KyselyDeadLetters(reader)
    this.log = new KyselyStreamLog(reader, maxParameters)
    this.outbox = new KyselyOutbox({ reader, writer, nodeId: options.nodeId, maxParameters })
  }

  transact<R>(work: (tx: StoreTransaction) => Promise<R>): Promise<R> {
    if (this.#closing !== undefined) return Promise.reject(unavailable(new Error('the store is closed')))
    if (this.#waiting >= MAX_WAITING_TRANSACTIONS) {
      return Promise.reject(new MessageError('too-many-pending', 'too many transactions are waiting'))
    }
    this.#waiting += 1
    const result = this.#after(this.#last, work)
    this.#last = result.catch(() => undefined) // its caller hears of it
    return result
  }

  async ping(): Promise<void> {
    await guarded(() => sql`select 1`.execute(this.#connections.writer))
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #after<R>(last: Promise<unknown>, work: (tx: StoreTransaction) => Promise<R>): Promise<R> {
    await last
    try {
      return await this.#run(work)
    } finally {
      this.#waiting -= 1
    }
  }

  async #run<R>(work: (tx: StoreTransaction) => Promise<R>): Promise<R> {
    const { writer, maxParameters } = this.#connections
    let failure: { readonly error: unknown } | undefined
    try {
      return await writer.transaction().execute(async (db) => {
        try {
          const tx = new KyselyTransaction({ db, nodeId: this.#nodeId, maxParameters })
          const result = await work(tx)
          await tx.flush()
          return result
        } catch (error) {
          failure = { error }
          throw error
        }
      })
    } catch (error) {
      throw failure === undefined ? unavailable(error) : failure.error
    }
  }

  async #end(): Promise<void> {
    await this.#last
    await this.#connections.reader.destroy()
    await this.#connections.writer.destroy()
    this.#connections.release()
  }
}
