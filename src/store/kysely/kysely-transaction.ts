import type { Insertable, Kysely } from 'kysely'
import { MessageError } from '../../errors.ts'
import type {
  AppendedEvent,
  BroadcastRow,
  DeadLetterRow,
  MessageRow,
  NewEventRow,
  NotificationRow,
  OrderRow,
  StoreTransaction,
} from '../store.ts'
import { guarded } from './failures.ts'
import {
  checked,
  fromBroadcast,
  fromDeadLetter,
  fromMessage,
  fromNotification,
  fromOrder,
  toJson,
  toOrder,
} from './rows.ts'
import type {
  BroadcastTable,
  DeadLetterTable,
  MessageTable,
  NotificationTable,
  OrderTable,
  Schema,
} from './schema.ts'

export interface TransactionOptions {
  readonly db: Kysely<Schema>
  readonly nodeId: string
  /** The most parameters one statement may have. */
  readonly maxParameters: number
}

/** Stages inserts in memory and writes them with few statements at the end. */
export class KyselyTransaction implements StoreTransaction {
  readonly #options: TransactionOptions
  readonly #messages: MessageTable[] = []
  readonly #broadcasts: BroadcastTable[] = []
  readonly #notifications: NotificationTable[] = []
  readonly #deadLetters: DeadLetterTable[] = []
  readonly #orders: OrderTable[] = []
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
  readonly notifications = {
    insert: (row: NotificationRow): void => {
      this.#stage(this.#notifications, fromNotification(row))
    },
  }
  readonly deadLetters = {
    insert: (row: DeadLetterRow): void => {
      this.#stage(this.#deadLetters, fromDeadLetter(row))
    },
  }
  readonly orders = {
    find: (orderId: string): Promise<OrderRow | null> => this.#findOrder(orderId),
    save: (row: OrderRow): void => {
      this.#stage(this.#orders, fromOrder(row))
    },
  }

  constructor(options: TransactionOptions) {
    this.#options = options
  }

  async attempt<R>(part: () => Promise<R>): Promise<R> {
    const stages = [this.#messages, this.#broadcasts, this.#notifications, this.#deadLetters, this.#orders]
    const lengths = stages.map((stage) => stage.length)
    try {
      return await part()
    } catch (error) {
      for (const [i, stage] of stages.entries()) stage.length = lengths[i] ?? 0
      throw error
    }
  }

  appendEvents(events: readonly NewEventRow[]): Promise<readonly AppendedEvent[]> {
    this.#mustBeOpen()
    return guarded(async () => {
      if (events.length === 0) return []
      const rows = await this.#number(events)
      await this.#insert('events', rows)
      const seqs = await this.#insertOutbox(events, rows)
      return rows.map(({ stream, offset }, i) => ({ seq: seqs[i] ?? 0, stream, offset }))
    })
  }

  /** Writes what was staged. After it the transaction takes nothing more. */
  async flush(): Promise<void> {
    this.#isOver = true
    await guarded(async () => {
      await this.#insert('messages', this.#messages)
      await this.#insert('broadcasts', this.#broadcasts)
      await this.#insert('notifications', this.#notifications)
      await this.#insert('dead_letters', this.#deadLetters)
      await this.#saveOrders()
    })
  }

  /** Allocates offsets. One statement locks the streams, sorted, and raises their heads. */
  async #number(events: readonly NewEventRow[]) {
    const counts = new Map<string, number>()
    for (const { stream } of events) counts.set(stream, (counts.get(stream) ?? 0) + 1)
    const names = [...counts.keys()].toSorted()
    const next = new Map<string, number>()
    for (const chunk of this.#chunks(names, 2)) {
      const heads = await this.#options.db
        .insertInto('streams')
        .values(chunk.map((name) => checked({ name, head: counts.get(name) ?? 0 })))
        .onConflict((c) =>
          c.column('name').doUpdateSet((e) => ({ head: e('streams.head', '+', e.ref('excluded.head')) })),
        )
        .returning(['name', 'head'])
        .execute()
      for (const { name, head } of heads) next.set(name, head - (counts.get(name) ?? 0) + 1)
    }
    return events.map(({ stream, headers, body, createdAt }) => {
      const offset = next.get(stream) ?? 0
      next.set(stream, offset + 1)
      return checked({ stream, offset, headers: toJson(headers), body, created_at: createdAt })
    })
  }

  async #insertOutbox(events: readonly NewEventRow[], rows: readonly { stream: string; offset: number }[]) {
    const outbox = rows.map(({ stream, offset }, i) => {
      const address = toJson(events[i]?.address)
      return checked({ node: this.#options.nodeId, stream, offset, address })
    })
    const seqs: number[] = []
    for (const chunk of this.#chunks(outbox, 4)) {
      const answer = await this.#options.db.insertInto('outbox').values(chunk).returning('seq').execute()
      seqs.push(...answer.map(({ seq }) => seq))
    }
    // Numbers are given in the order of the rows; the answer may come in another one.
    return seqs.toSorted((a, b) => a - b)
  }

  async #findOrder(orderId: string): Promise<OrderRow | null> {
    this.#mustBeOpen()
    const saved = this.#orders.findLast((order) => order.order_id === orderId)
    if (saved !== undefined) return toOrder(saved)
    const { db } = this.#options
    const found = await guarded(() =>
      db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirst(),
    )
    return found === undefined ? null : toOrder(found)
  }

  async #saveOrders(): Promise<void> {
    // A statement may not name the same row twice: PostgreSQL refuses it.
    const latest = [...new Map(this.#orders.map((order) => [order.order_id, order])).values()]
    for (const chunk of this.#chunks(latest, 8)) {
      await this.#options.db
        .insertInto('orders')
        .values(chunk)
        .onConflict((c) =>
          c.column('order_id').doUpdateSet((e) => ({
            user_id: e.ref('excluded.user_id'),
            status: e.ref('excluded.status'),
            items: e.ref('excluded.items'),
            note: e.ref('excluded.note'),
            version: e.ref('excluded.version'),
            updated_at: e.ref('excluded.updated_at'),
          })),
        )
        .execute()
    }
    await this.#insert('order_changes', this.#orders)
  }

  async #insert<T extends keyof Schema>(table: T, rows: readonly Insertable<Schema[T]>[]): Promise<void> {
    const [first] = rows
    if (first === undefined) return
    for (const chunk of this.#chunks(rows, Object.keys(first).length)) {
      await this.#options.db.insertInto(table).values(chunk).execute()
    }
  }

  *#chunks<T>(rows: readonly T[], columns: number): Generator<T[]> {
    const size = Math.max(1, Math.floor(this.#options.maxParameters / columns))
    for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size)
  }

  #stage<T>(stage: T[], row: T): void {
    this.#mustBeOpen()
    stage.push(row)
  }

  #mustBeOpen(): void {
    if (this.#isOver) throw new MessageError('internal', 'the transaction is over')
  }
}
