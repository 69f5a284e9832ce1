import type { RoomSight, Sight } from '../../auth/room-sight.ts'
import type { RoomMemberRow } from '../../store/rooms.ts'
import { MessageError } from '../../errors.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { RoomVisibility } from './room-event.ts'

/** A room that somebody may see, as a transaction knows it. */
export interface RoomAccess {
  readonly visibility: RoomVisibility
  /** Of a member of a private room. */
  readonly role?: RoomMemberRow['role']
}

/**
 * What a room is to a user by what the transaction has locked: nobody is removed from a private room while it
 * lasts. Public rooms stay public, and are not even asked for twice.
 */
export async function accessIn(
  tx: Pick<StoreTransaction, 'rooms'>,
  { sight }: { readonly sight: Pick<RoomSight, 'isPublic'> },
  { user, room }: { readonly user: string; readonly room: string },
): Promise<RoomAccess | 'absent' | 'hidden'> {
  if (sight.isPublic(room)) return { visibility: 'public' }
  const row = await tx.rooms.find(room)
  if (row === null) return 'absent'
  if (row.visibility === 'public') return { visibility: 'public' }
  const member = await tx.rooms.member(room, user)
  return member === null ? 'hidden' : { visibility: 'private', role: member.role }
}

/** Of whoever has no business there, as of whoever asks for what is not there. */
export function noRoom(): MessageError {
  return new MessageError('not-found', 'there is no such room')
}

export function noMessage(): MessageError {
  return new MessageError('not-found', 'there is no such message')
}

/** Of a client that names a room to send to, or to be told of. */
export function notYours(room: string): MessageError {
  return new MessageError('forbidden', `the room ${room} is for its members`)
}

export function isSeen(sight: Sight): boolean {
  return sight.kind === 'public' || sight.kind === 'member'
}
