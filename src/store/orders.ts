import type { HeaderList } from '../../protocol/frame.ts'

/** Orders, their history, and what could not become an order: part of the store port (`store.ts`). */

export interface OrderRow {
  readonly orderId: string
  readonly userId: string
  readonly status: string
  /** Any JSON value; null where the service sent none. */
  readonly items: unknown
  readonly note: string | null
  /** The latest that the order service sent. */
  readonly version: number | null
  /** When it changed, as whoever changed it says. */
  readonly updatedAt: string
  /** When the relay first heard of it. */
  readonly createdAt: string
  /** Who brought it into this state; null where the order service did. */
  readonly changedBy: string | null
}

/** Which orders; a field that is missing leaves out none. */
export interface OrderFilter {
  readonly userId?: string
  readonly status?: string
  /** Of these: one at least, some thousand at most. */
  readonly orderIds?: readonly string[]
  /** Changed before that time. */
  readonly updatedBefore?: string
}

/** `userId` has an index; `status` and `updatedBefore` are looked at row by row, until the page is full. */
export interface OrderReader {
  find(orderId: string): Promise<OrderRow | null>
  /** By order id, descending; only those that sort below `before`. */
  list(
    filter: OrderFilter,
    page: { readonly limit: number; readonly before?: string },
  ): Promise<readonly OrderRow[]>
  /** Ids alone, ascending; only those that sort above `after`. */
  ids(
    filter: OrderFilter,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly string[]>
  count(filter: OrderFilter): Promise<number>
  /** Every state that was saved, oldest first, at most `limit` (the newest ones). */
  history(orderId: string, limit: number): Promise<readonly OrderRow[]>
}

/** Within a transaction. What is answered is as this transaction sees it, own saves included. */
export interface OrderWriter {
  /** Locked until the transaction ends, also where it is not there. */
  find(orderId: string): Promise<OrderRow | null>
  /**
   * Those of the orders that are there, by id: locked until the transaction ends, in the order of their ids, so that
   * those who lock many do not wait for each other in a circle.
   */
  findMany(orderIds: readonly string[]): Promise<ReadonlyMap<string, OrderRow>>
  /** Stores the state and adds it to the order's history. */
  save(row: OrderRow): void
}

export interface DeadLetterRow {
  /** Later ones are greater, among those of one node. */
  readonly id: string
  readonly queue: string
  readonly reason: string
  readonly headers: HeaderList
  readonly body: Uint8Array
  readonly createdAt: string
}

/** A dead letter with the beginning of its body. */
export interface DeadLetterExcerpt extends DeadLetterRow {
  /** Length of the whole body. */
  readonly bodyBytes: number
}

export interface DeadLetterRepository {
  find(id: string): Promise<DeadLetterRow | null>
  /** Newest first; only those whose id sorts below `before`. Of each body the first `maxBodyBytes`, if given. */
  list(page: {
    readonly limit: number
    readonly before?: string
    readonly maxBodyBytes?: number
  }): Promise<readonly DeadLetterExcerpt[]>
  /** Answers whether it was there. */
  remove(id: string): Promise<boolean>
}
