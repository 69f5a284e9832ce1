import type { RoomMemberRemoved } from '../../../protocol/payload/room-change.ts'
import type { RoomMember } from '../../../protocol/payload/room.ts'
import { sightOf } from '../../auth/fact-change.ts'
import type { Principal } from '../../auth/principal.ts'
import { MessageError } from '../../errors.ts'
import type { RoomMemberRow } from '../../store/rooms.ts'
import type { StoreTransaction } from '../../store/store.ts'
import { announceFact } from '../announce-fact.ts'
import { accessIn, noRoom } from './room-access.ts'
import { roomEvent } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'

export interface Membership {
  readonly room: string
  readonly user: string
}

/** Asks for every room. */
const UNKNOWN = { isPublic: () => false }

const isAdmin = ({ roles }: Principal): boolean => roles.includes('admin')

/** One member, for the members and administrators. @throws MessageError `not-found` */
export async function memberOf(
  { store }: Pick<RoomParts, 'store'>,
  caller: Principal,
  { room, user }: Membership,
): Promise<RoomMember> {
  const own = await store.rooms.sight(room, caller.name)
  if (own === null || (own.member === null && !isAdmin(caller))) throw noRoom()
  const found = caller.name === user ? own : await store.rooms.sight(room, user)
  const member = found?.member ?? null
  if (member === null) throw new MessageError('not-found', 'there is no such member')
  return shown(member)
}

/** All of them, likewise. */
export async function membersOf(
  { store }: Pick<RoomParts, 'store'>,
  caller: Principal,
  { room, ...page }: { readonly room: string; readonly after?: string; readonly limit: number },
): Promise<readonly RoomMember[]> {
  const rows = await store.rooms.members(room, page)
  // Asked afterwards: whoever was removed meanwhile gets nothing.
  const own = await store.rooms.sight(room, caller.name)
  const isHidden = own?.room.visibility !== 'public' && own?.member === null && !isAdmin(caller)
  if (own === null || isHidden) throw noRoom()
  return rows.map(shown)
}

/**
 * Makes somebody a member of a private room; changes nothing where they are one.
 *
 * @throws MessageError `not-found`, `forbidden` where the caller is a mere member, `conflict` of a public room
 */
export async function addMember(
  { appender }: Pick<RoomParts, 'appender'>,
  caller: Principal,
  { room, user }: Membership,
): Promise<RoomMember> {
  const since = new Date().toISOString()
  const { result } = await appender.append(async (tx) => {
    await requireManager(tx, caller, room)
    const row: RoomMemberRow = { room, user, role: 'member', since }
    const isNew = await tx.rooms.addMember(row)
    return { events: [], result: isNew ? row : ((await tx.rooms.member(room, user)) ?? row) }
  })
  return shown(result)
}

/**
 * Removes a member, or lets one leave. Whatever they follow of the room ends, on every node, before they see
 * anything that was told after it.
 *
 * @throws MessageError as `addMember`, and `conflict` where it is the owner
 */
export async function removeMember(
  parts: RoomParts,
  caller: Principal,
  { room, user }: Membership,
): Promise<void> {
  const at = new Date().toISOString()
  await parts.appender.append(async (tx) => {
    if (caller.name === user) await requirePrivate(tx, caller, room)
    else await requireManager(tx, caller, room)
    const member = await tx.rooms.member(room, user)
    if (member === null) throw new MessageError('not-found', 'there is no such member')
    if (member.role === 'owner') throw new MessageError('conflict', 'the owner stays a member')
    await tx.rooms.removeMember(room, user)
    const removed: RoomMemberRemoved = { type: 'member-removed', room, user, by: caller.name, at }
    return { events: [roomEvent({ room, visibility: 'private' }, removed)], result: null }
  })
  await announceFact(parts, sightOf(room))
}

/** @throws MessageError `not-found` where the caller sees no such room, `conflict` where it is public */
async function requirePrivate(
  tx: StoreTransaction,
  caller: Principal,
  room: string,
): Promise<RoomMemberRow | null> {
  // The row is locked, whatever is known of the room.
  const access = await accessIn(tx, { sight: UNKNOWN }, { user: caller.name, room })
  if (access === 'absent' || (access === 'hidden' && !isAdmin(caller))) throw noRoom()
  if (access === 'hidden') return null
  if (access.visibility === 'public') throw new MessageError('conflict', 'a public room has no members')
  return tx.rooms.member(room, caller.name)
}

async function requireManager(tx: StoreTransaction, caller: Principal, room: string): Promise<void> {
  const own = await requirePrivate(tx, caller, room)
  if (own?.role === 'owner' || isAdmin(caller)) return
  throw new MessageError('forbidden', 'only the owner says who is a member')
}

function shown({ user, role, since }: RoomMemberRow): RoomMember {
  return { user, role, since }
}
