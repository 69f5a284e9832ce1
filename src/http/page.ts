import { Type, type TSchema } from 'typebox'

const MAX_LIMIT = 200
const DEFAULT_LIMIT = 50

/** What the query of any list may hold (CONTRACT, section 7). */
export const PAGE_QUERY = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT })),
  /** As the page before said it. */
  cursor: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]+$', minLength: 1, maxLength: 255 })),
}

/** A part of a list. */
export interface ListPage<Item> {
  readonly items: readonly Item[]
  /** Asks for what follows; missing at the end of the list. */
  readonly cursor?: string
}

/** What a list answers, for its description. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item, { description: 'In the order of the list' }),
    cursor: Type.Optional(
      Type.String({ description: 'Asks for what follows; missing at the end of the list' }),
    ),
  })
}

/** How many rows to ask for: one more than is shown tells whether anything follows. */
export function pageLimit({ limit = DEFAULT_LIMIT }: { readonly limit?: number }): {
  readonly shown: number
  readonly asked: number
} {
  return { shown: limit, asked: limit + 1 }
}

/** @param cursorOf what the next page begins behind */
export function listPage<Row, Item>(
  rows: readonly Row[],
  shown: number,
  { itemOf, cursorOf }: { readonly itemOf: (row: Row) => Item; readonly cursorOf: (row: Row) => string },
): ListPage<Item> {
  const last = rows.length > shown ? rows[shown - 1] : undefined
  const items = rows.slice(0, shown).map((row) => itemOf(row))
  return { items, ...(last !== undefined && { cursor: cursorOf(last) }) }
}
