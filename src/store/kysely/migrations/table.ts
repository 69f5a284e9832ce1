import type { CreateTableBuilder, Kysely } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { KEY_LENGTHS } from '../schema.ts'

/** What tables are made with. */
export interface Making {
  readonly db: Kysely<unknown>
  readonly columns: ColumnTypes
}

export type Table = CreateTableBuilder<string, string>
type TextKind = keyof typeof KEY_LENGTHS | 'text'

/** A table to be described, with what all of ours end with. */
export function table({ db, columns }: Making, name: string): Table {
  return db.schema.createTable(name).modifyEnd(columns.tableEnd)
}

/** Columns for texts that must be there: by name, with the kind of key that the column is, if it is one. */
export function texts(
  { columns }: Making,
  kinds: Readonly<Record<string, TextKind>>,
): (table: Table) => Table {
  return (made) =>
    Object.entries(kinds).reduce((each, [name, kind]) => {
      const type = kind === 'text' ? columns.text : columns.key(KEY_LENGTHS[kind])
      return each.addColumn(name, type, (c) => c.notNull())
    }, made)
}
