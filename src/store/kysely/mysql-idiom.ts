import { sql } from 'kysely'
import type { Insertable, InsertObject, Kysely } from 'kysely'
import { appendInSteps } from './append-in-steps.ts'
import { chunksOf } from './chunks.ts'
import { dropRemnants, TABLE_COMMENT } from './mysql-remnants.ts'
import type { Idiom } from './idiom.ts'
import type { ConversationTable, OrderTable, OutboxTable, Schema, StreamTable } from './schema.ts'
import { codeOf } from './server-engine.ts'

export interface MysqlServer {
  readonly isMariaDb: boolean
  /** From one automatic number to the next: not 1 in clusters. */
  readonly serialStep: number
}

// A statement is one packet; the smallest default bound is 16 MiB, and escaping may double a text.
const LIMITS = { maxParameters: 60_000, maxLength: 1_000_000 }

/** Of ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, and MariaDB's "record has changed since last read". */
const CONTENTION: ReadonlySet<unknown> = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'])
const DUPLICATE = 'ER_DUP_ENTRY'

/** Without RETURNING, which MySQL lacks. */
export function mysqlIdiom(server: MysqlServer): Idiom {
  // By code points, and trailing spaces count: both have it, under different names.
  const collation = server.isMariaDb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'
  const insertOutbox = (db: Kysely<Schema>, rows: readonly Insertable<OutboxTable>[]) =>
    insertNumbered(db, rows, server.serialStep)
  return {
    columns: {
      key: (maxLength) => sql`varchar(${sql.lit(maxLength)})`,
      text: sql`longtext`,
      integer: 'bigint',
      blob: sql`longblob`,
      serial: 'bigint',
      asSerial: (column) => column.primaryKey().autoIncrement(),
      tableEnd: sql`engine = InnoDB row_format = dynamic character set utf8mb4 collate ${sql.raw(collation)}
        comment = ${sql.lit(TABLE_COMMENT)}`,
      clear: dropRemnants,
      addText,
    },
    nowMs: sql<number>`cast(unix_timestamp(now(6)) * 1000 as signed)`,
    hasRowLocks: true,
    isPipelined: false,
    maxParameters: LIMITS.maxParameters,
    isContention: (error) => CONTENTION.has(codeOf(error)),
    isDuplicateKey: (error) => codeOf(error) === DUPLICATE,
    insertRows,
    isAmong: (column, integers) => sql`${sql.ref(column)} in (${sql.join(integers)})`,
    insertMissing,
    saveOrders,
    raiseConversations,
    append: (db, batch, staged) => appendInSteps({ insertRows, raise, insertOutbox }, db, { batch, staged }),
  }
}

async function addText(db: Kysely<unknown>, table: string, column: string): Promise<void> {
  const { rows } = await sql`
    select 1 from information_schema.columns
    where table_schema = database() and table_name = ${table} and column_name = ${column}
  `.execute(db)
  if (rows.length === 0)
    await db.schema
      .alterTable(table)
      .addColumn(column, sql`longtext`)
      .execute()
}

async function insertRows<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
): Promise<void> {
  for (const chunk of chunksOf(rows, LIMITS)) await db.insertInto(table).values(chunk).execute()
}

/** `insert ignore` would also ignore what does not fit. */
async function insertMissing<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  row: InsertObject<Schema, T>,
): Promise<boolean> {
  try {
    await db.insertInto(table).values(row).execute()
    return true
  } catch (error) {
    if (codeOf(error) === DUPLICATE) return false
    throw error
  }
}

async function saveOrders(db: Kysely<Schema>, rows: readonly OrderTable[]): Promise<void> {
  for (const chunk of chunksOf(rows, LIMITS)) {
    await db
      .insertInto('orders')
      .values(chunk)
      .onDuplicateKeyUpdate({
        user_id: sql`values(user_id)`,
        status: sql`values(status)`,
        items: sql`values(items)`,
        note: sql`values(note)`,
        version: sql`values(version)`,
        updated_at: sql`values(updated_at)`,
        changed_by: sql`values(changed_by)`,
      })
      .execute()
  }
}

async function raiseConversations(db: Kysely<Schema>, rows: readonly ConversationTable[]): Promise<void> {
  for (const chunk of chunksOf(rows, LIMITS)) {
    await db
      .insertInto('conversations')
      .values(chunk)
      .onDuplicateKeyUpdate({ last_id: sql`greatest(last_id, values(last_id))` })
      .execute()
  }
}

async function raise(db: Kysely<Schema>, streams: readonly StreamTable[]): Promise<StreamTable[]> {
  const raised: StreamTable[] = []
  for (const chunk of chunksOf(streams, LIMITS)) {
    await db
      .insertInto('streams')
      .values(chunk)
      .onDuplicateKeyUpdate({
        head: sql`head + values(head)`,
        expires_at: sql`greatest(expires_at, values(expires_at))`,
      })
      .execute()
    const names = chunk.map((row) => row.name)
    raised.push(...(await db.selectFrom('streams').selectAll().where('name', 'in', names).execute()))
  }
  return raised
}

/** One statement's numbers are in step, as it says how many rows it has (InnoDB, "simple inserts"). */
async function insertNumbered(
  db: Kysely<Schema>,
  rows: readonly Insertable<OutboxTable>[],
  step: number,
): Promise<readonly number[]> {
  const seqs: number[] = []
  for (const chunk of chunksOf(rows, LIMITS)) {
    const { insertId } = await db.insertInto('outbox').values(chunk).executeTakeFirstOrThrow()
    if (insertId === undefined) throw new Error('the database does not say what number it gave')
    seqs.push(...chunk.map((_, i) => Number(insertId) + i * step))
  }
  return seqs
}
