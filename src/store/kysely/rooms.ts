import type { Kysely } from 'kysely'
import {
  MAX_UNREAD,
  type RoomMemberRow,
  type RoomMessagePage,
  type RoomMessageRow,
  type RoomReader,
  type RoomRow,
  type RoomViewRow,
} from '../rooms.ts'
import { guarded } from './failures.ts'
import { toMember, toRoom, toRoomMessage } from './room-rows.ts'
import { conversationKey } from './rows.ts'
import type { Schema } from './schema.ts'

type Db = Kysely<Schema>

export class KyselyRooms implements RoomReader {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  find(room: string): Promise<RoomRow | null> {
    return guarded(async () => {
      const row = await this.#db
        .selectFrom('rooms')
        .selectAll()
        .where('room_name', '=', room)
        .executeTakeFirst()
      return row === undefined ? null : toRoom(row)
    })
  }

  sight(
    room: string,
    user: string,
  ): Promise<{ readonly room: RoomRow; readonly member: RoomMemberRow | null } | null> {
    return guarded(async () => {
      const row = await this.#db
        .selectFrom('rooms')
        .leftJoin('room_members', (join) =>
          join.onRef('room_members.room_name', '=', 'rooms.room_name').on('room_members.user_id', '=', user),
        )
        .selectAll('rooms')
        .select(['room_members.user_id', 'room_members.role', 'room_members.since'])
        .where('rooms.room_name', '=', room)
        .executeTakeFirst()
      if (row === undefined) return null
      const { room_name, user_id, role, since } = row
      const isMember = user_id !== null && role !== null && since !== null
      return { room: toRoom(row), member: isMember ? toMember({ room_name, user_id, role, since }) : null }
    })
  }

  list(
    user: string,
    { after = '', limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly RoomRow[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('rooms')
        .selectAll()
        .where('room_name', '>', after)
        .where((e) =>
          e.or([
            e('visibility', '=', 'public'),
            e.exists(
              e
                .selectFrom('room_members')
                .select('room_members.user_id')
                .whereRef('room_members.room_name', '=', 'rooms.room_name')
                .where('room_members.user_id', '=', user),
            ),
          ]),
        )
        .orderBy('room_name')
        .limit(limit)
        .execute()
      return rows.map(toRoom)
    })
  }

  members(
    room: string,
    { after = '', limit }: { readonly after?: string; readonly limit: number },
  ): Promise<readonly RoomMemberRow[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('room_members')
        .selectAll()
        .where('room_name', '=', room)
        .where('user_id', '>', after)
        .orderBy('user_id')
        .limit(limit)
        .execute()
      return rows.map(toMember)
    })
  }

  views(user: string, rooms: readonly string[]): Promise<readonly RoomViewRow[]> {
    return guarded(async () => {
      if (rooms.length === 0) return []
      const reads = await this.#db
        .selectFrom('room_reads')
        .selectAll()
        .where('user_id', '=', user)
        .where('room_name', 'in', rooms)
        .execute()
      const readOf = new Map(reads.map((read) => [read.room_name, read]))
      const views: RoomViewRow[] = []
      // One question at a time: a long list asked for at once would take every connection of the node.
      for (const room of rooms) {
        const read = readOf.get(room)
        const [lastMessage = null] = await this.messages(room, { limit: 1 })
        const unread = await this.#unread(user, room, read?.message_id ?? '')
        views.push({ room, readOffset: read?.read_offset ?? null, unread, lastMessage })
      }
      return views
    })
  }

  messages(room: string, { before, after, limit }: RoomMessagePage): Promise<readonly RoomMessageRow[]> {
    return guarded(async () => {
      const rows = await joinedMessages(this.#db)
        .where('messages.conversation', '=', conversationKey({ kind: 'room', room }))
        .$if(before !== undefined, (query) => query.where('messages.id', '<', before ?? ''))
        .$if(after !== undefined, (query) => query.where('messages.id', '>', after ?? ''))
        .orderBy('messages.id', after === undefined ? 'desc' : 'asc')
        .limit(limit)
        .execute()
      return rows.map(toRoomMessage)
    })
  }

  async #unread(user: string, room: string, after: string): Promise<number> {
    const unread = this.#db
      .selectFrom('messages')
      .select('messages.id')
      .where('conversation', '=', conversationKey({ kind: 'room', room }))
      .where('id', '>', after)
      .where('sender', '<>', user)
      .limit(MAX_UNREAD)
    const { count } = await this.#db
      .selectFrom(unread.as('unread'))
      .select((e) => e.fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    return Number(count)
  }
}

/** Messages, with what was edited. */
export function joinedMessages(db: Db) {
  return db
    .selectFrom('messages')
    .leftJoin('message_edits', 'message_edits.id', 'messages.id')
    .selectAll('messages')
    .select('message_edits.edited_at')
}
