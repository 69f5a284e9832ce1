import type { Selectable } from 'kysely'
import type { RoomMemberRow, RoomMessageRow, RoomReadRow, RoomRow } from '../rooms.ts'
import { checked } from './rows.ts'
import type { MessageTable, RoomMemberTable, RoomReadTable, RoomTable } from './schema.ts'

export function fromRoom(row: RoomRow): RoomTable {
  const { name, visibility, owner, createdAt } = row
  return checked({ room_name: name, visibility, owner, created_at: createdAt })
}

export function toRoom(row: RoomTable): RoomRow {
  return {
    name: row.room_name,
    // Whatever is not plainly public is for members only.
    visibility: row.visibility === 'public' ? 'public' : 'private',
    owner: row.owner,
    createdAt: row.created_at,
  }
}

export function fromMember({ room, user, role, since }: RoomMemberRow): RoomMemberTable {
  return checked({ room_name: room, user_id: user, role, since })
}

export function toMember(row: RoomMemberTable): RoomMemberRow {
  const role = row.role === 'owner' ? 'owner' : 'member'
  return { room: row.room_name, user: row.user_id, role, since: row.since }
}

export function fromRead({ room, user, offset, messageId }: RoomReadRow): RoomReadTable {
  return checked({ room_name: room, user_id: user, message_id: messageId, read_offset: offset })
}

/** A message with what `message_edits` says of it. */
export type JoinedMessage = Selectable<MessageTable> & { readonly edited_at: string | null }

export function toRoomMessage(row: JoinedMessage): RoomMessageRow {
  const { id, sender, content } = row
  return {
    id,
    room: row.room ?? '',
    sender,
    content,
    clientId: row.client_id,
    replyTo: row.reply_to,
    createdAt: row.created_at,
    editedAt: row.edited_at,
  }
}
