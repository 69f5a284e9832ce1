import type { Kysely } from 'kysely'
import type { RoomMemberRow, RoomMessageRow, RoomReadRow, RoomRow, RoomWriter } from '../rooms.ts'
import type { Idiom } from './idiom.ts'
import { fromMember, fromRead, fromRoom, toMember, toRoom, toRoomMessage } from './room-rows.ts'
import { checked, conversationKey } from './rows.ts'
import type { RoomReadTable, Schema } from './schema.ts'

export interface RoomWriterOptions {
  readonly db: Kysely<Schema>
  readonly idiom: Idiom
  /** Puts a question to the database, as long as the transaction is open. */
  readonly ask: <R>(question: () => Promise<R>) => Promise<R>
}

/** What a transaction does with rooms. */
export class KyselyRoomWriter implements RoomWriter {
  readonly #options: RoomWriterOptions

  constructor(options: RoomWriterOptions) {
    this.#options = options
  }

  find(room: string): Promise<RoomRow | null> {
    const { db, idiom, ask } = this.#options
    return ask(async () => {
      const row = await db
        .selectFrom('rooms')
        .selectAll()
        .where('room_name', '=', room)
        .$if(idiom.hasRowLocks, (query) => query.forUpdate())
        .executeTakeFirst()
      return row === undefined ? null : toRoom(row)
    })
  }

  create(row: RoomRow): Promise<boolean> {
    const { db, idiom, ask } = this.#options
    return ask(async () => {
      const isPrivate = row.visibility === 'private'
      const isUsed = isPrivate && (await this.#hasMessages(row.name))
      const made: RoomRow = isUsed ? { ...row, visibility: 'public' } : row
      if (!(await idiom.insertMissing(db, 'rooms', fromRoom(made)))) return false
      if (isUsed) return false
      const { name: room, owner: user, createdAt: since } = row
      if (isPrivate) {
        await idiom.insertMissing(db, 'room_members', fromMember({ room, user, role: 'owner', since }))
      }
      return true
    })
  }

  member(room: string, user: string): Promise<RoomMemberRow | null> {
    const { db, ask } = this.#options
    return ask(async () => {
      const row = await db
        .selectFrom('room_members')
        .selectAll()
        .where('room_name', '=', room)
        .where('user_id', '=', user)
        .executeTakeFirst()
      return row === undefined ? null : toMember(row)
    })
  }

  addMember(row: RoomMemberRow): Promise<boolean> {
    const { db, idiom, ask } = this.#options
    return ask(async () => idiom.insertMissing(db, 'room_members', fromMember(row)))
  }

  removeMember(room: string, user: string): Promise<boolean> {
    const { db, ask } = this.#options
    return ask(async () => {
      const { numDeletedRows } = await db
        .deleteFrom('room_members')
        .where('room_name', '=', room)
        .where('user_id', '=', user)
        .executeTakeFirst()
      return numDeletedRows > 0n
    })
  }

  message(room: string, id: string): Promise<RoomMessageRow | null> {
    const { db, idiom, ask } = this.#options
    return ask(async () => {
      const row = await db
        .selectFrom('messages')
        .selectAll()
        .where('id', '=', id)
        .where('conversation', '=', conversationKey({ kind: 'room', room }))
        .$if(idiom.hasRowLocks, (query) => query.forUpdate())
        .executeTakeFirst()
      if (row === undefined) return null
      const edit = await db.selectFrom('message_edits').selectAll().where('id', '=', id).executeTakeFirst()
      return toRoomMessage({ ...row, edited_at: edit?.edited_at ?? null })
    })
  }

  editMessage({ id, content, at }: { id: string; content: string; at: string }): Promise<void> {
    const { db, idiom, ask } = this.#options
    return ask(async () => {
      const edit = checked({ id, edited_at: at })
      await db.updateTable('messages').set(checked({ content })).where('id', '=', id).execute()
      if (await idiom.insertMissing(db, 'message_edits', edit)) return
      await db.updateTable('message_edits').set({ edited_at: at }).where('id', '=', id).execute()
    })
  }

  removeMessage(id: string): Promise<void> {
    const { db, ask } = this.#options
    return ask(async () => {
      await db.deleteFrom('messages').where('id', '=', id).execute()
      await db.deleteFrom('message_edits').where('id', '=', id).execute()
    })
  }

  advance(row: RoomReadRow): Promise<boolean> {
    const { db, idiom, ask } = this.#options
    const read = fromRead(row)
    return ask(async () => {
      if (await this.#raise(read)) return true
      if (await idiom.insertMissing(db, 'room_reads', read)) return true
      // Another node may have put one there meanwhile, which is behind this one.
      return this.#raise(read)
    })
  }

  async #raise(read: RoomReadTable): Promise<boolean> {
    const { numUpdatedRows } = await this.#options.db
      .updateTable('room_reads')
      // Where no message is known to be that far, those that were read stay read.
      .set({ read_offset: read.read_offset, ...(read.message_id !== '' && { message_id: read.message_id }) })
      .where('room_name', '=', read.room_name)
      .where('user_id', '=', read.user_id)
      .where('read_offset', '<', read.read_offset)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  async #hasMessages(room: string): Promise<boolean> {
    const found = await this.#options.db
      .selectFrom('messages')
      .select('id')
      .where('conversation', '=', conversationKey({ kind: 'room', room }))
      .limit(1)
      .executeTakeFirst()
    return found !== undefined
  }
}
