import type { RoomMessage } from '../../../protocol/payload/room-message.ts'
import type { RoomMessageRow } from '../../store/rooms.ts'

/** A message as its readers get it. */
export function roomMessage(row: RoomMessageRow): RoomMessage {
  return {
    id: row.id,
    room: row.room,
    sender: row.sender,
    content: row.content,
    timestamp: row.createdAt,
    ...(row.replyTo !== null && { replyTo: row.replyTo }),
    ...(row.clientId !== null && { clientId: row.clientId }),
    ...(row.editedAt !== null && { editedAt: row.editedAt }),
  }
}
