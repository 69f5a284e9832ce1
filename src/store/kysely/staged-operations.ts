import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { OperationRow, OperationWriter } from '../operations.ts'
import { claimable, UNENDED } from './claimable-operations.ts'
import type { Idiom } from './idiom.ts'
import { fromOperation, toOperation, type OperationColumns } from './operation-rows.ts'
import { checked, checkedKey } from './rows.ts'
import type { OperationResultTable, Schema } from './schema.ts'

/** What the transaction lends. */
export interface TransactionHands {
  readonly db: Kysely<Schema>
  readonly idiom: Idiom
  readonly ask: <R>(question: () => Promise<R>) => Promise<R>
  readonly mustBeOpen: () => void
}

interface Saved {
  readonly columns: OperationColumns
  readonly leaseMs: number | undefined
}

/** What a transaction makes of operations: written when it ends, as all else of it. */
export class StagedOperations implements OperationWriter {
  readonly #hands: TransactionHands
  readonly #inserted: OperationColumns[] = []
  readonly #saved: Saved[] = []
  readonly #results: OperationResultTable[] = []
  /** What a failed part shortens again. */
  readonly stages: readonly { length: number }[] = [this.#inserted, this.#saved, this.#results]

  constructor(hands: TransactionHands) {
    this.#hands = hands
  }

  insert(row: OperationRow): void {
    this.#hands.mustBeOpen()
    this.#inserted.push(fromOperation(row))
  }

  save(row: OperationRow, leaseMs?: number): void {
    this.#hands.mustBeOpen()
    this.#saved.push({ columns: fromOperation(row), leaseMs })
  }

  addResult(id: string, part: number, text: string): void {
    this.#hands.mustBeOpen()
    this.#results.push(checked({ operation_id: id, part, text }))
  }

  async find(id: string): Promise<OperationRow | null> {
    this.#hands.mustBeOpen()
    const saved = this.#saved.findLast(({ columns }) => columns.id === id)?.columns
    const own = saved ?? this.#inserted.find((columns) => columns.id === id)
    if (own !== undefined) return toOperation(own)
    checkedKey('id', id)
    const { db, idiom } = this.#hands
    const found = await this.#hands.ask(() =>
      db
        .selectFrom('operations')
        .selectAll()
        .where('id', '=', id)
        .$if(idiom.hasRowLocks, (query) => query.forUpdate())
        .executeTakeFirst(),
    )
    return found === undefined ? null : toOperation(found)
  }

  async countUnended(user: string): Promise<number> {
    this.#hands.mustBeOpen()
    await this.#lockUser(user)
    const { db } = this.#hands
    const { count } = await this.#hands.ask(() =>
      db
        .selectFrom('operations')
        .select((e) => e.fn.countAll().as('count'))
        .where('user_id', '=', user)
        .where('state', 'in', UNENDED)
        .executeTakeFirstOrThrow(),
    )
    return Number(count) + this.#inserted.filter(({ user_id }) => user_id === user).length
  }

  async findClaimable(): Promise<OperationRow | null> {
    this.#hands.mustBeOpen()
    const { db, idiom } = this.#hands
    const next = await this.#hands.ask(() => claimable(db, idiom).executeTakeFirst())
    if (next === undefined || this.#saved.some(({ columns }) => columns.user_id === next.user_id)) return null
    // Before the row, as who starts one does: of two nodes that want two of one user the second finds none.
    await this.#lockUser(next.user_id)
    const found = await this.#hands.ask(() =>
      claimable(db, idiom)
        .selectAll('operations')
        .where('operations.id', '=', next.id)
        .$if(idiom.hasRowLocks, (query) => query.forUpdate().skipLocked())
        .executeTakeFirst(),
    )
    return found === undefined ? null : toOperation(found)
  }

  async flush(): Promise<void> {
    const { db, idiom, ask } = this.#hands
    for (const columns of this.#inserted) {
      await ask(() =>
        db
          .insertInto('operations')
          .values({ ...columns, lease_ms: 0 })
          .execute(),
      )
    }
    for (const { columns, leaseMs } of this.#saved) {
      const { id, user_id: _user, type: _type, params: _params, created_at: _at, ...changed } = columns
      const lease: RawBuilder<number> = sql`${idiom.nowMs} + ${leaseMs ?? 0}`
      const set = leaseMs === undefined ? changed : { ...changed, lease_ms: lease }
      await ask(() => db.updateTable('operations').set(set).where('id', '=', id).execute())
    }
    for (const row of this.#results) await ask(() => db.insertInto('operation_results').values(row).execute())
  }

  /** No database locks the rows that are not there yet: one that stands for all of them is made and kept. */
  async #lockUser(user: string): Promise<void> {
    const { db, idiom, ask } = this.#hands
    if (!idiom.hasRowLocks) return
    checkedKey('user_id', user)
    const lock = db.selectFrom('operation_users').select('user_id').where('user_id', '=', user).forUpdate()
    if ((await ask(() => lock.executeTakeFirst())) !== undefined) return
    await ask(() => idiom.insertMissing(db, 'operation_users', { user_id: user }))
    await ask(() => lock.executeTakeFirst())
  }
}
