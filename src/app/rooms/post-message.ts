import { MessageError } from '../../errors.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { RoomMessageRow } from '../../store/rooms.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { repeatable } from '../../stream/request-key.ts'
import { accessIn, notYours } from './room-access.ts'
import { roomEvent, type RoomVisibility } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'
import { roomMessage } from './room-payload.ts'

export interface RoomMessagePost {
  readonly content: string
  readonly replyTo?: string
  readonly clientId?: string
}

/**
 * Stores a message and relays it to the room. Resolves when it is durable. An unknown room becomes a public one.
 *
 * @throws MessageError `forbidden` where the room is private and not the sender's, `invalid-payload` where
 * `replyTo` names no message of the room
 */
export async function postMessage(
  parts: RoomParts,
  { user, room }: { readonly user: string; readonly room: string },
  { content, replyTo, clientId }: RoomMessagePost,
): Promise<void> {
  const row: RoomMessageRow = {
    id: timeOrderedId(),
    room,
    sender: user,
    content,
    clientId: clientId ?? null,
    replyTo: replyTo ?? null,
    createdAt: new Date().toISOString(),
    editedAt: null,
  }
  const { editedAt: _, ...message } = row
  const { result } = await parts.appender.append(
    async (tx) => {
      tx.messages.insert({ ...message, receiver: null, status: 'SENT' })
      const visibility = await roomFor(tx, parts, row)
      return {
        events: [roomEvent({ room, visibility }, roomMessage(row))],
        result: { id: row.id, visibility },
      }
    },
    { request: repeatable({ user, scope: `/app/rooms/${room}/messages`, clientId }) },
  )
  if (result.visibility === 'public') parts.sight.notePublic(room)
}

/** What the room is, which is made where it is not there: last, once nothing else stands against the message. */
async function roomFor(
  tx: StoreTransaction,
  parts: RoomParts,
  { room, sender: user, replyTo, createdAt }: RoomMessageRow,
): Promise<RoomVisibility> {
  const access = await accessIn(tx, parts, { user, room })
  if (access === 'hidden') throw notYours(room)
  if (replyTo !== null && (await tx.rooms.message(room, replyTo)) === null) {
    throw new MessageError('invalid-payload', '/replyTo must be the id of a message of the room')
  }
  if (access !== 'absent') return access.visibility
  if (await tx.rooms.create({ name: room, visibility: 'public', owner: user, createdAt })) return 'public'
  // Somebody made it just now.
  const made = await accessIn(tx, parts, { user, room })
  if (made === 'hidden' || made === 'absent') throw notYours(room)
  return made.visibility
}
