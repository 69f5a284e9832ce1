import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'

/** Who changed an order. Nodes of older versions write nothing there: the order service did. */
export function orders(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const table of ['orders', 'order_changes']) await columns.addText(db, table, 'changed_by')
    },
  }
}
