import type { Insertable, Kysely } from 'kysely'
import { MessageError } from '../../errors.ts'
import type {
  AppendedEvent,
  BroadcastRow,
  MessageRow,
  NewEventRow,
  RequestRow,
  StoreTransaction,
} from '../store.ts'
import type { DeadLetterRow } from '../orders.ts'
import { portionsOf } from './chunks.ts'
import { fromDeadLetter } from './dead-letters.ts'
import { KyselyDeliveries } from './deliveries.ts'
import { eventBatch } from './event-batch.ts'
import { unavailable } from './failures.ts'
import type { Idiom, StagedRows } from './idiom.ts'
import { NotificationChanges } from './notification-changes.ts'
import { KyselyRoomWriter } from './room-writer.ts'
import { fromBroadcast, fromMessage, fromRequest, parseJson } from './rows.ts'
import type { BroadcastTable, DeadLetterTable, MessageTable, RequestTable, Schema } from './schema.ts'
import { StagedOperations } from './staged-operations.ts'

import { TransactionOrders, type Asking } from './transaction-orders.ts'

export interface TransactionOptions {
  readonly db: Kysely<Schema>
  readonly idiom: Idiom
  readonly nodeId: string
}

/** Why the database will not commit this transaction, and whether another attempt may succeed. */
export interface TransactionFailure {
  readonly cause: unknown
  readonly isContention: boolean
}

/** Stages inserts in memory and writes them with few statements at the end. */
export class KyselyTransaction implements StoreTransaction {
  readonly #options: TransactionOptions
  readonly #messages: MessageTable[] = []
  readonly #broadcasts: BroadcastTable[] = []
  readonly #deadLetters: DeadLetterTable[] = []
  readonly #requests: RequestTable[] = []
  readonly deliveries: KyselyDeliveries
  readonly operations: StagedOperations
  readonly #stages: { length: number }[] = [
    this.#messages,
    this.#broadcasts,
    this.#deadLetters,
    this.#requests,
  ]
  #failure: TransactionFailure | undefined
  #isInPart = false
  #isOver = false

  readonly messages = {
    insert: (row: MessageRow): void => {
      this.#stage(this.#messages, fromMessage(row))
    },
  }
  readonly broadcasts = {
    insert: (row: BroadcastRow): void => {
      this.#stage(this.#broadcasts, fromBroadcast(row))
    },
  }
  readonly deadLetters = {
    insert: (row: DeadLetterRow): void => {
      this.#stage(this.#deadLetters, fromDeadLetter(row))
    },
  }
  readonly requests = {
    find: (keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> => this.#findRequests(keys),
    insert: (row: RequestRow): void => {
      if (this.#requests.some(({ key }) => key === row.key)) {
        throw new MessageError('internal', 'the transaction remembers this request already')
      }
      this.#stage(this.#requests, fromRequest(row))
    },
  }
  readonly orders: TransactionOrders
  readonly notifications: NotificationChanges
  readonly rooms: KyselyRoomWriter

  constructor(options: TransactionOptions) {
    this.#options = options
    const asking: Asking = {
      mustBeOpen: () => this.#mustBeOpen(),
      ask: (question) => this.#ask(question),
    }
    this.orders = new TransactionOrders(options, asking)
    this.notifications = new NotificationChanges(options, asking)
    this.deliveries = new KyselyDeliveries({ ...options, ...asking })
    this.#stages.push(this.orders.staged, this.notifications.staged, ...this.deliveries.stages)
    this.rooms = new KyselyRoomWriter({
      ...options,
      ask: (question) => {
        this.#mustBeOpen()
        return this.#ask(question)
      },
    })
    this.operations = new StagedOperations({
      ...options,
      ask: (question) => this.#ask(question),
      mustBeOpen: () => this.#mustBeOpen(),
    })
    this.#stages.push(...this.operations.stages)
  }

  /** Set where the database refused or did not answer, whatever the work made of it: there is no going on. */
  get failure(): TransactionFailure | undefined {
    return this.#failure
  }

  async attempt<R>(part: () => Promise<R>): Promise<R> {
    const lengths = this.#stages.map((stage) => stage.length)
    this.#isInPart = true
    try {
      return await part()
    } catch (error) {
      for (const [i, stage] of this.#stages.entries()) stage.length = lengths[i] ?? 0
      throw error
    } finally {
      this.#isInPart = false
    }
  }

  async appendEvents(events: readonly NewEventRow[]): Promise<readonly AppendedEvent[]> {
    this.#mustBeOpen()
    if (events.length === 0) return []
    const batch = eventBatch(this.#options.nodeId, events)
    const staged = this.#isInPart ? [] : this.#takePlainRows()
    return this.#ask(() => this.#options.idiom.append(this.#options.db, batch, staged))
  }

  /** What is staged in tables that nothing of this transaction reads: it may be written at any time. */
  #takePlainRows(): readonly StagedRows[] {
    const staged: readonly StagedRows[] = [
      { table: 'messages', rows: this.#messages.splice(0) },
      { table: 'broadcasts', rows: this.#broadcasts.splice(0) },
      { table: 'notifications', rows: this.notifications.takeInserts() },
    ]
    return staged.filter(({ rows }) => rows.length > 0)
  }

  /** Writes what was staged. After it the transaction takes nothing more. */
  async flush(): Promise<void> {
    this.#isOver = true
    const steps = [
      () => this.#insertRequests(),
      () => this.#insert('messages', this.#messages),
      () => this.#insert('broadcasts', this.#broadcasts),
      () => this.notifications.flush(),
      () => this.#insert('dead_letters', this.#deadLetters),
      () => this.orders.flush(),
      () => this.deliveries.flush(),
      () => this.operations.flush(),
    ]
    if (this.#options.idiom.isPipelined) {
      await Promise.all(steps.map((step) => step()))
    } else {
      for (const step of steps) await step()
    }
  }

  async #findRequests(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    this.#mustBeOpen()
    const found = new Map<string, unknown>()
    const { db, idiom } = this.#options
    for (const portion of portionsOf(keys, idiom.maxParameters)) {
      const rows = await this.#ask(() =>
        db.selectFrom('requests').select(['key', 'answer']).where('key', 'in', portion).execute(),
      )
      for (const { key, answer } of rows) found.set(key, parseJson(answer))
    }
    for (const { key, answer } of this.#requests) {
      if (keys.includes(key)) found.set(key, parseJson(answer))
    }
    return found
  }

  async #insertRequests(): Promise<void> {
    const { db, idiom } = this.#options
    if (this.#requests.length === 0) return
    await this.#ask(
      () => idiom.insertRows(db, 'requests', this.#requests),
      (error) => idiom.isDuplicateKey(error),
    )
  }

  async #insert<T extends keyof Schema>(table: T, rows: readonly Insertable<Schema[T]>[]): Promise<void> {
    if (rows.length === 0) return
    await this.#ask(() => this.#options.idiom.insertRows(this.#options.db, table, rows))
  }

  /** After a failure nothing is asked: MySQL has rolled back then, and would commit each statement by itself. */
  async #ask<R>(question: () => Promise<R>, isRace: (error: unknown) => boolean = () => false): Promise<R> {
    if (this.#failure !== undefined) throw unavailable(this.#failure.cause)
    try {
      return await question()
    } catch (error) {
      if (error instanceof MessageError) throw error
      this.#failure ??= {
        cause: error,
        isContention: isRace(error) || this.#options.idiom.isContention(error),
      }
      throw unavailable(error)
    }
  }

  #stage<T>(stage: T[], row: T): void {
    this.#mustBeOpen()
    stage.push(row)
  }

  #mustBeOpen(): void {
    if (this.#isOver) throw new MessageError('internal', 'the transaction is over')
  }
}
