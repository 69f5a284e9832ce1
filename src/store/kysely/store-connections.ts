import type { Kysely } from 'kysely'
import type { Idiom } from './idiom.ts'
import type { Schema } from './schema.ts'

/** What a dialect brings: ways to the same database. */
export interface StoreConnections {
  readonly idiom: Idiom
  /** One connection; transactions run here. */
  readonly writer: Kysely<Schema>
  /** Sees what is committed, while a transaction runs too. */
  readonly reader: Kysely<Schema>
  /** Writes single statements; beside the transactions, where the database can do that. */
  readonly aside: Kysely<Schema>
  /** Whatever else is to be given back; called last. */
  release(): void | Promise<void>
}

export async function endConnections(connections: StoreConnections): Promise<void> {
  const { reader, writer, aside } = connections
  await Promise.all([...new Set([reader, writer, aside])].map((db) => db.destroy()))
  await connections.release()
}
