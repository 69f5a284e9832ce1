import type { Kysely } from 'kysely'
import type { ConversationReader, ConversationRow, MessagePage, PrivateMessageRow } from '../conversations.ts'
import { stateOf } from './deliveries.ts'
import { guarded } from './failures.ts'
import { conversationKey } from './rows.ts'
import type { DeliveryTable, MessageTable, Schema } from './schema.ts'

export class KyselyConversations implements ConversationReader {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  list(
    user: string,
    { before, limit }: { readonly before?: string; readonly limit: number },
  ): Promise<readonly ConversationRow[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('conversations')
        .selectAll()
        .where('user_id', '=', user)
        .$if(before !== undefined, (query) => query.where('last_id', '<', before ?? ''))
        .orderBy('last_id', 'desc')
        .limit(limit)
        .execute()
      if (rows.length === 0) return []
      const [lasts, unread] = await Promise.all([
        this.#find(rows.map((row) => row.last_id)),
        this.#unread(
          user,
          rows.map(({ other }) => other),
        ),
      ])
      return rows.flatMap(({ other, last_id }) => {
        const last = lasts.get(last_id)
        return last === undefined ? [] : [{ other, last, unread: unread.get(other) ?? 0 }]
      })
    })
  }

  messages(
    users: readonly [string, string],
    { before, after, limit }: MessagePage,
  ): Promise<readonly PrivateMessageRow[]> {
    return guarded(async () => {
      const rows = await this.#private()
        .where('messages.conversation', '=', conversationKey({ kind: 'private', users }))
        .$if(before !== undefined, (query) => query.where('messages.id', '<', before ?? ''))
        .$if(after !== undefined, (query) => query.where('messages.id', '>', after ?? ''))
        .orderBy('messages.id', after === undefined ? 'desc' : 'asc')
        .limit(limit)
        .execute()
      const found = rows.map(toPrivateMessage)
      return after === undefined ? found : found.toReversed()
    })
  }

  async #find(ids: readonly string[]): Promise<ReadonlyMap<string, PrivateMessageRow>> {
    const rows = await this.#private().where('messages.id', 'in', ids).execute()
    return new Map(rows.map((row) => [row.id, toPrivateMessage(row)]))
  }

  #private() {
    return this.#db
      .selectFrom('messages')
      .innerJoin('deliveries', 'deliveries.id', 'messages.id')
      .select(['messages.id', 'messages.content', 'messages.client_id', 'messages.created_at'])
      .select(['deliveries.user_id', 'deliveries.other', 'deliveries.state'])
  }

  async #unread(user: string, others: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db
      .selectFrom('deliveries')
      .select(({ fn }) => ['other', fn.countAll().as('unread')])
      .where('user_id', '=', user)
      // What one wrote to oneself one knows.
      .where('other', '<>', user)
      .where('other', 'in', others)
      .where('state', 'in', ['STORED', 'DELIVERED'])
      .groupBy('other')
      .execute()
    return new Map(rows.map(({ other, unread }) => [other, Number(unread)]))
  }
}

function toPrivateMessage(
  row: DeliveryTable & Pick<MessageTable, 'content' | 'client_id' | 'created_at'>,
): PrivateMessageRow {
  return {
    id: row.id,
    sender: row.other,
    receiver: row.user_id,
    state: stateOf(row.state),
    content: row.content,
    clientId: row.client_id,
    createdAt: row.created_at,
  }
}
