import type { MessageRow, RoomHistory } from '../store.ts'
import { guarded } from './failures.ts'
import { conversationKey, toMessage } from './rows.ts'
import type { StoreConnections } from './store-connections.ts'

export class KyselyRoomHistory implements RoomHistory {
  readonly #connections: Pick<StoreConnections, 'reader'>

  constructor(connections: Pick<StoreConnections, 'reader'>) {
    this.#connections = connections
  }

  count(room: string): Promise<number> {
    return guarded(async () => {
      const { count } = await this.#connections.reader
        .selectFrom('messages')
        .select((e) => e.fn.countAll().as('count'))
        .where('conversation', '=', conversationKey({ kind: 'room', room }))
        .executeTakeFirstOrThrow()
      return Number(count)
    })
  }

  read(
    room: string,
    { after = '', limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly MessageRow[]> {
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('messages')
        .selectAll()
        .where('conversation', '=', conversationKey({ kind: 'room', room }))
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toMessage)
    })
  }
}
