import type { Kysely, SelectQueryBuilder } from 'kysely'
import type { OrderFilter, OrderReader, OrderRow } from '../orders.ts'
import { guarded } from './failures.ts'
import { checked, parseJson, toJson } from './rows.ts'
import type { OrderTable, Schema } from './schema.ts'

export class KyselyOrders implements OrderReader {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  find(orderId: string): Promise<OrderRow | null> {
    return guarded(async () => {
      const row = await this.#db
        .selectFrom('orders')
        .selectAll()
        .where('order_id', '=', orderId)
        .executeTakeFirst()
      return row === undefined ? null : toOrder(row)
    })
  }

  list(
    filter: OrderFilter,
    { limit, before }: { readonly limit: number; readonly before?: string },
  ): Promise<readonly OrderRow[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('orders')
        .selectAll()
        .$call(fitting(filter))
        .$if(before !== undefined, (q) => q.where('order_id', '<', before ?? ''))
        .orderBy('order_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toOrder)
    })
  }

  ids(
    filter: OrderFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<readonly string[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('orders')
        .select('order_id')
        .$call(fitting(filter))
        .$if(after !== undefined, (q) => q.where('order_id', '>', after ?? ''))
        .orderBy('order_id')
        .limit(limit)
        .execute()
      return rows.map((row) => row.order_id)
    })
  }

  count(filter: OrderFilter): Promise<number> {
    return guarded(async () => {
      const { count } = await this.#db
        .selectFrom('orders')
        .select((e) => e.fn.countAll().as('count'))
        .$call(fitting(filter))
        .executeTakeFirstOrThrow()
      return Number(count)
    })
  }

  history(orderId: string, limit: number): Promise<readonly OrderRow[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('order_changes')
        .selectAll()
        .where('order_id', '=', orderId)
        .orderBy('change', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toOrder).toReversed()
    })
  }
}

function fitting({ userId, status, orderIds, updatedBefore }: OrderFilter) {
  return <O>(query: SelectQueryBuilder<Schema, 'orders', O>): SelectQueryBuilder<Schema, 'orders', O> =>
    query
      .$if(userId !== undefined, (q) => q.where('user_id', '=', userId ?? ''))
      .$if(status !== undefined, (q) => q.where('status', '=', status ?? ''))
      .$if(orderIds !== undefined, (q) => q.where('order_id', 'in', orderIds ?? []))
      .$if(updatedBefore !== undefined, (q) => q.where('updated_at', '<', updatedBefore ?? ''))
}

export function toOrder(row: OrderTable): OrderRow {
  const { status, note, version } = row
  return {
    orderId: row.order_id,
    userId: row.user_id,
    status,
    items: parseJson(row.items),
    note,
    version,
    updatedAt: row.updated_at,
    createdAt: row.created_at,
    changedBy: row.changed_by,
  }
}

export function fromOrder(row: OrderRow): OrderTable {
  const { status, note, version } = row
  return checked({
    order_id: row.orderId,
    user_id: row.userId,
    status,
    items: toJson(row.items),
    note,
    version,
    updated_at: row.updatedAt,
    created_at: row.createdAt,
    changed_by: row.changedBy,
  })
}

/** What keeps an order's place until the transaction ends; nobody else sees it. */
export function placeholderOrder(orderId: string): OrderTable {
  return {
    order_id: orderId,
    user_id: '',
    status: '',
    items: 'null',
    note: null,
    version: null,
    updated_at: '',
    created_at: '',
    changed_by: null,
  }
}
