import type { Kysely } from 'kysely'
import type { OrderRow, OrderWriter } from '../orders.ts'
import { portionsOf } from './chunks.ts'
import type { Idiom } from './idiom.ts'
import { fromOrder, placeholderOrder, toOrder } from './orders.ts'
import { checkedKey } from './rows.ts'
import type { OrderTable, Schema } from './schema.ts'

/** What a transaction is to its parts. */
export interface Asking {
  /** @throws MessageError `internal` once it is over */
  mustBeOpen(): void
  /** Asks the database, unless it has refused something already. */
  ask<R>(question: () => Promise<R>): Promise<R>
}

/** Orders within a transaction. */
export class TransactionOrders implements OrderWriter {
  /** In the order of calls; what is dropped from its end is not stored. */
  readonly staged: OrderTable[] = []
  readonly #db: Kysely<Schema>
  readonly #idiom: Idiom
  readonly #asking: Asking
  /** Orders that were asked for and not there: rows of ours that keep others from inserting them. */
  readonly #placeholders = new Set<string>()

  constructor({ db, idiom }: { readonly db: Kysely<Schema>; readonly idiom: Idiom }, asking: Asking) {
    this.#db = db
    this.#idiom = idiom
    this.#asking = asking
  }

  async find(orderId: string): Promise<OrderRow | null> {
    this.#asking.mustBeOpen()
    const saved = this.#saved(orderId)
    if (saved !== undefined) return toOrder(saved)
    if (this.#placeholders.has(orderId)) return null
    checkedKey('order_id', orderId)
    const found = await this.#asking.ask(() => this.#lock(orderId))
    return found === undefined ? null : toOrder(found)
  }

  async findMany(orderIds: readonly string[]): Promise<ReadonlyMap<string, OrderRow>> {
    this.#asking.mustBeOpen()
    for (const orderId of orderIds) checkedKey('order_id', orderId)
    const found = new Map<string, OrderTable>()
    const sorted = [...new Set(orderIds)].toSorted()
    for (const portion of portionsOf(sorted, this.#idiom.maxParameters)) {
      for (const row of await this.#asking.ask(() => this.#lockMany(portion))) found.set(row.order_id, row)
    }
    for (const orderId of this.#placeholders) found.delete(orderId)
    for (const orderId of sorted) {
      const saved = this.#saved(orderId)
      if (saved !== undefined) found.set(orderId, saved)
    }
    return new Map([...found].map(([orderId, row]) => [orderId, toOrder(row)]))
  }

  save(row: OrderRow): void {
    this.#asking.mustBeOpen()
    this.staged.push(fromOrder(row))
  }

  async flush(): Promise<void> {
    if (this.#placeholders.size > 0) {
      const ids = [...this.#placeholders]
      await this.#asking.ask(() => this.#db.deleteFrom('orders').where('order_id', 'in', ids).execute())
    }
    if (this.staged.length === 0) return
    // A statement may not name the same row twice: PostgreSQL refuses it.
    const latest = [...new Map(this.staged.map((order) => [order.order_id, order])).values()]
    await this.#asking.ask(() => this.#idiom.saveOrders(this.#db, latest))
    await this.#asking.ask(() => this.#idiom.insertRows(this.#db, 'order_changes', this.staged))
  }

  #saved(orderId: string): OrderTable | undefined {
    return this.staged.findLast((order) => order.order_id === orderId)
  }

  /** No database locks a row that is not there: it is made, and taken away again if nobody saves it. */
  async #lock(orderId: string): Promise<OrderTable | undefined> {
    const { hasRowLocks } = this.#idiom
    const select = this.#db
      .selectFrom('orders')
      .selectAll()
      .where('order_id', '=', orderId)
      .$if(hasRowLocks, (query) => query.forUpdate())
    const found = await select.executeTakeFirst()
    if (found !== undefined || !hasRowLocks) return found
    if (!(await this.#idiom.insertMissing(this.#db, 'orders', placeholderOrder(orderId))))
      return select.executeTakeFirst()
    this.#placeholders.add(orderId)
    return undefined
  }

  #lockMany(orderIds: readonly string[]): Promise<readonly OrderTable[]> {
    return this.#db
      .selectFrom('orders')
      .selectAll()
      .where('order_id', 'in', orderIds)
      .orderBy('order_id')
      .$if(this.#idiom.hasRowLocks, (query) => query.forUpdate())
      .execute()
  }
}
