import type { Kysely } from 'kysely'
import type { NodeRepository, OutboxRepository, OutboxRow } from '../store.ts'
import { portionsOf } from './chunks.ts'
import { guarded } from './failures.ts'
import { parseJson, parseTexts } from './rows.ts'
import type { Schema } from './schema.ts'
import type { StoreConnections } from './store-connections.ts'

export interface OutboxOptions extends StoreConnections {
  readonly nodeId: string
  readonly nodes: Pick<NodeRepository, 'living'>
  /** Runs in turn with the other transactions of this node, and again where it met with contention. */
  transact<R>(work: (db: Kysely<Schema>) => Promise<R>): Promise<R>
}

const SEQS_A_STATEMENT = 1000
/** More names of nodes than this wait for the next claim. */
const MAX_NODES = 1000

export class KyselyOutbox implements OutboxRepository {
  readonly #options: OutboxOptions

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  pending(afterSeq: number, limit: number): Promise<readonly OutboxRow[]> {
    const { reader, nodeId } = this.#options
    return guarded(async () => {
      const rows = await outboxRows(reader)
        .where('node', '=', nodeId)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map(toOutboxRow)
    })
  }

  remove(seqs: readonly number[]): Promise<void> {
    const { aside, idiom } = this.#options
    return guarded(async () => {
      for (const portion of portionsOf(seqs, SEQS_A_STATEMENT)) {
        await aside.deleteFrom('outbox').where(idiom.isAmong('seq', portion)).execute()
      }
    })
  }

  claim(limit: number): Promise<readonly OutboxRow[]> {
    const { nodeId, idiom } = this.#options
    return guarded(async () => {
      const dead = await this.#deadOwners()
      if (dead.length === 0) return []
      return this.#options.transact(async (db) => {
        const free = await db
          .selectFrom('outbox')
          .select('seq')
          .where('node', 'in', dead)
          .orderBy('seq')
          .limit(limit)
          .$if(idiom.hasRowLocks, (query) => query.forUpdate().skipLocked())
          .execute()
        const claimed: OutboxRow[] = []
        for (const portion of portionsOf(free, SEQS_A_STATEMENT)) {
          const seqs = portion.map((row) => row.seq)
          await db.updateTable('outbox').set({ node: nodeId }).where('seq', 'in', seqs).execute()
          const rows = await outboxRows(db).where('seq', 'in', seqs).orderBy('seq').execute()
          claimed.push(...rows.map(toOutboxRow))
        }
        return claimed
      })
    })
  }

  ageMs(nowMs: number): Promise<number> {
    return guarded(async () => {
      const oldest = await outboxRows(this.#options.reader).orderBy('seq').limit(1).executeTakeFirst()
      return oldest === undefined ? 0 : Math.max(0, nowMs - Date.parse(oldest.created_at))
    })
  }

  /** Owners of rows, other than this node, without a living lease. */
  async #deadOwners(): Promise<readonly string[]> {
    const { nodeId, nodes } = this.#options
    const owners = await this.#owners()
    if (owners.every((owner) => owner === nodeId)) return []
    const living = new Set(await nodes.living())
    return owners.filter((owner) => owner !== nodeId && !living.has(owner))
  }

  /** From name to name through the index: to ask for distinct names would read every row. */
  async #owners(): Promise<readonly string[]> {
    const owners: string[] = []
    let last = ''
    while (owners.length < MAX_NODES) {
      const next = await this.#options.reader
        .selectFrom('outbox')
        .select('node')
        .where('node', '>', last)
        .orderBy('node')
        .limit(1)
        .executeTakeFirst()
      if (next === undefined) break
      last = next.node
      owners.push(last)
    }
    return owners
  }
}

function outboxRows(db: Kysely<Schema>) {
  return db
    .selectFrom('outbox')
    .innerJoin('events', (join) =>
      join.onRef('events.stream', '=', 'outbox.stream').onRef('events.offset', '=', 'outbox.offset'),
    )
    .select(['seq', 'outbox.stream', 'outbox.offset', 'address', 'headers', 'body', 'created_at'])
}

function toOutboxRow(row: {
  readonly seq: number
  readonly stream: string
  readonly offset: number
  readonly address: string
  readonly headers: string
  readonly body: string
}): OutboxRow {
  const { seq, stream, offset, body } = row
  return { seq, stream, offset, address: parseJson(row.address), headers: parseTexts(row.headers), body }
}
