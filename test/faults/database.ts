import { setTimeout as delay } from 'node:timers/promises'
import { parseDatabaseUrl } from '../../src/config/database-url.ts'
import { KyselyStore } from '../../src/store/kysely/kysely-store.ts'
import { openServer } from '../../src/store/kysely/open-server.ts'
import { openSqlite } from '../../src/store/kysely/open-sqlite.ts'
import type { StoreConnections } from '../../src/store/kysely/store-connections.ts'
import type { Conversation, MessageRow, Store, StoredEvent } from '../../src/store/store.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

const PAGE = 500
/** Between two looks at the outbox, which tells nobody when it changes. */
const LOOK_MS = 20

/** The database beside the nodes that work on it: what they left there. */
export class Database {
  readonly #connections: StoreConnections
  readonly #store: Store

  private constructor(connections: StoreConnections, store: Store) {
    this.#connections = connections
    this.#store = store
  }

  /** Of a database whose tables are there. */
  static async open(t: Teardown, url: string): Promise<Database> {
    const parsed = parseDatabaseUrl(url)
    const connections =
      parsed.kind === 'sqlite'
        ? await openSqlite({ path: parsed.path, nodeId: 'onlooker', lock: false })
        : await openServer(parsed, { waitMs: 0, onWaiting: () => undefined })
    const store = await KyselyStore.over({ connections, nodeId: 'onlooker' })
    t.teardown(() => store.close())
    return new Database(connections, store)
  }

  /** What is to be relayed for this node. */
  async outboxOf(nodeId: string): Promise<readonly number[]> {
    const rows = await this.#connections.reader
      .selectFrom('outbox')
      .select('seq')
      .where('node', '=', nodeId)
      .execute()
    return rows.map(({ seq }) => seq)
  }

  /** Resolves when these rows of the outbox are relayed and gone, or after `timeoutMs`. */
  async untilGone(seqs: readonly number[], timeoutMs: number): Promise<boolean> {
    const giveUpAt = performance.now() + timeoutMs
    while (performance.now() < giveUpAt) {
      if ((await this.#firstOf(seqs)) === undefined) return true
      await delay(LOOK_MS)
    }
    return false
  }

  /** Resolves when nothing is to be relayed, or after `timeoutMs`. */
  async untilRelayed(timeoutMs: number): Promise<boolean> {
    const giveUpAt = performance.now() + timeoutMs
    while (performance.now() < giveUpAt) {
      const row = await this.#connections.reader
        .selectFrom('outbox')
        .select('seq')
        .limit(1)
        .executeTakeFirst()
      if (row === undefined) return true
      await delay(LOOK_MS)
    }
    return false
  }

  head(stream: string): Promise<number> {
    return this.#store.log.head(stream)
  }

  async events(stream: string): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = []
    for (;;) {
      const page = await this.#store.log.read(stream, events.at(-1)?.offset ?? 0, PAGE)
      if (page.length === 0) return events
      events.push(...page)
    }
  }

  async messages(conversation: Conversation): Promise<readonly MessageRow[]> {
    const rows: MessageRow[] = []
    for (;;) {
      const before = rows.at(-1)?.id
      const page = await this.#store.messages.list(conversation, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      })
      if (page.length === 0) return rows
      rows.push(...page)
    }
  }

  async #firstOf(seqs: readonly number[]): Promise<number | undefined> {
    for (let from = 0; from < seqs.length; from += PAGE) {
      const row = await this.#connections.reader
        .selectFrom('outbox')
        .select('seq')
        .where('seq', 'in', seqs.slice(from, from + PAGE))
        .limit(1)
        .executeTakeFirst()
      if (row !== undefined) return row.seq
    }
    return undefined
  }
}
