import type { Kysely } from 'kysely'
import type {
  BroadcastReader,
  BroadcastRow,
  Conversation,
  MessageReader,
  MessageRow,
  Page,
} from '../store.ts'
import { guarded } from './failures.ts'
import { conversationKey, toBroadcast, toMessage } from './rows.ts'
import type { Schema } from './schema.ts'

export class KyselyMessages implements MessageReader {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  find(id: string): Promise<MessageRow | null> {
    return guarded(async () => {
      const row = await this.#db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : toMessage(row)
    })
  }

  list(conversation: Conversation, page: Page): Promise<readonly MessageRow[]> {
    const { before } = page
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('messages')
        .selectAll()
        .where('conversation', '=', conversationKey(conversation))
        .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(toMessage)
    })
  }
}

export class KyselyBroadcasts implements BroadcastReader {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  find(id: string): Promise<BroadcastRow | null> {
    return guarded(async () => {
      const row = await this.#db.selectFrom('broadcasts').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : toBroadcast(row)
    })
  }

  list(page: Page): Promise<readonly BroadcastRow[]> {
    const { before } = page
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('broadcasts')
        .selectAll()
        .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(toBroadcast)
    })
  }
}
