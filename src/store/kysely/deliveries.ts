import type { Kysely } from 'kysely'
import type { DeliveryRow, DeliveryState, DeliveryWriter } from '../conversations.ts'
import type { Idiom } from './idiom.ts'
import { checked, checkedKey } from './rows.ts'
import type { ConversationTable, DeliveryTable, Schema } from './schema.ts'

export interface DeliveryOptions {
  readonly db: Kysely<Schema>
  readonly idiom: Idiom
  /** As the transaction asks the database: what it refuses ends the transaction. */
  readonly ask: <R>(question: () => Promise<R>) => Promise<R>
  /** Throws where the transaction is over. */
  readonly mustBeOpen: () => void
}

const STATES: readonly DeliveryState[] = ['STORED', 'DELIVERED', 'READ']

/** Stages what a transaction does to private messages. */
export class KyselyDeliveries implements DeliveryWriter {
  readonly #options: DeliveryOptions
  readonly #inserted: DeliveryTable[] = []
  readonly #saved: DeliveryRow[] = []
  /** What is forgotten where a part of the transaction fails. */
  readonly stages: readonly { length: number }[] = [this.#inserted, this.#saved]

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  insert(row: DeliveryRow): void {
    this.#options.mustBeOpen()
    this.#inserted.push(fromDelivery(row))
  }

  async find(ids: readonly string[]): Promise<readonly DeliveryRow[]> {
    this.#options.mustBeOpen()
    if (ids.length === 0) return []
    for (const id of ids) checkedKey('id', id)
    const { db, idiom, ask } = this.#options
    const rows = await ask(() =>
      db
        .selectFrom('deliveries')
        .selectAll()
        .where('id', 'in', ids)
        // In one order, so that nobody waits for who waits for them.
        .orderBy('id')
        .$if(idiom.hasRowLocks, (query) => query.forUpdate())
        .execute(),
    )
    const saved = new Map(this.#saved.map((row) => [row.id, row]))
    return rows.map((row) => saved.get(row.id) ?? toDelivery(row))
  }

  save(row: DeliveryRow): void {
    this.#options.mustBeOpen()
    this.#saved.push(row)
  }

  /** Writes what was staged. */
  async flush(): Promise<void> {
    const { db, idiom, ask } = this.#options
    const inserted = this.#inserted
    if (inserted.length > 0) {
      await ask(() => idiom.insertRows(db, 'deliveries', inserted))
      await ask(() => idiom.raiseConversations(db, conversationsOf(inserted)))
    }
    const latest = [...new Map(this.#saved.map((row) => [row.id, row])).values()]
    for (const state of STATES) {
      const ids = latest.filter((row) => row.state === state).map(({ id }) => id)
      if (ids.length === 0) continue
      await ask(() => db.updateTable('deliveries').set({ state }).where('id', 'in', ids).execute())
    }
  }
}

/** Each conversation once, as its two sides see it, in one order for all transactions. */
function conversationsOf(rows: readonly DeliveryTable[]): readonly ConversationTable[] {
  const latest = new Map<string, ConversationTable>()
  for (const { id, user_id, other } of rows) {
    for (const side of [
      { user_id, other, last_id: id },
      { user_id: other, other: user_id, last_id: id },
    ]) {
      const key = JSON.stringify([side.user_id, side.other])
      const before = latest.get(key)
      if (before === undefined || before.last_id < id) latest.set(key, side)
    }
  }
  return [...latest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, side]) => side)
}

function fromDelivery({ id, sender, receiver, state }: DeliveryRow): DeliveryTable {
  return checked({ id, user_id: receiver, other: sender, state })
}

function toDelivery({ id, user_id, other, state }: DeliveryTable): DeliveryRow {
  return { id, sender: other, receiver: user_id, state: stateOf(state) }
}

/** @throws TypeError for what `fromDelivery` never wrote */
export function stateOf(text: string): DeliveryState {
  const state = STATES.find((each) => each === text)
  if (state === undefined) throw new TypeError('a stored private message is in a state that is none')
  return state
}
