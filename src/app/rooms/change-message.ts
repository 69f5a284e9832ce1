import type { RoomMessageDeleted, RoomMessageEdited } from '../../../protocol/payload/room-change.ts'
import type { RoomMessage } from '../../../protocol/payload/room-message.ts'
import type { Principal } from '../../auth/principal.ts'
import { MessageError } from '../../errors.ts'
import type { RoomMessageRow } from '../../store/rooms.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { accessIn, noMessage, noRoom } from './room-access.ts'
import { roomEvent, type RoomVisibility } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'
import { roomMessage } from './room-payload.ts'

type Parts = Pick<RoomParts, 'appender' | 'sight'>

/** A message of a room. */
export interface MessagePlace {
  readonly room: string
  readonly id: string
}

/**
 * Changes what one's own message says, and tells the room.
 *
 * @throws MessageError `not-found` of what is not there or not to be seen, `forbidden` of another's message
 */
export async function editMessage(
  parts: Parts,
  caller: Principal,
  { room, id, content }: MessagePlace & { readonly content: string },
): Promise<RoomMessage> {
  const at = new Date().toISOString()
  const { result } = await parts.appender.append(async (tx) => {
    const visibility = await visibilityFor(tx, parts, { caller, room })
    const row = await messageFor(tx, { room, id })
    if (row.sender !== caller.name) throw new MessageError('forbidden', 'the message is of somebody else')
    await tx.rooms.editMessage({ id, content, at })
    const edited: RoomMessageEdited = { type: 'edited', id, room, content, editedAt: at, by: caller.name }
    return {
      events: [roomEvent({ room, visibility }, edited)],
      result: roomMessage({ ...row, content, editedAt: at }),
    }
  })
  return result
}

/** Removes one's own message, or as an administrator anybody's, and tells the room. @throws as `editMessage` */
export async function deleteMessage(
  parts: Parts,
  caller: Principal,
  { room, id }: MessagePlace,
): Promise<void> {
  const at = new Date().toISOString()
  const isAdmin = caller.roles.includes('admin')
  await parts.appender.append(async (tx) => {
    const visibility = await visibilityFor(tx, parts, { caller, room, isAdmin })
    const row = await messageFor(tx, { room, id })
    if (row.sender !== caller.name && !isAdmin) {
      throw new MessageError('forbidden', 'the message is of somebody else')
    }
    await tx.rooms.removeMessage(id)
    const deleted: RoomMessageDeleted = { type: 'deleted', id, room, by: caller.name, at }
    return { events: [roomEvent({ room, visibility }, deleted)], result: null }
  })
}

async function visibilityFor(
  tx: StoreTransaction,
  parts: Parts,
  { caller, room, isAdmin = false }: { caller: Principal; room: string; isAdmin?: boolean },
): Promise<RoomVisibility> {
  const access = await accessIn(tx, parts, { user: caller.name, room })
  if (access === 'absent' || (access === 'hidden' && !isAdmin)) throw noRoom()
  return access === 'hidden' ? 'private' : access.visibility
}

async function messageFor(tx: StoreTransaction, { room, id }: MessagePlace): Promise<RoomMessageRow> {
  const row = await tx.rooms.message(room, id)
  if (row === null) throw noMessage()
  return row
}
