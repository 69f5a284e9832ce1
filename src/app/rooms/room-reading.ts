import { formatEventId, streamEpoch } from '../../../protocol/event-id.ts'
import type { RoomMessage } from '../../../protocol/payload/room-message.ts'
import type { RoomInfo } from '../../../protocol/payload/room.ts'
import type { RoomMessagePage, RoomRow, RoomViewRow } from '../../store/rooms.ts'
import { isSeen, noRoom } from './room-access.ts'
import { roomStream } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'
import { roomMessage } from './room-payload.ts'

type Parts = Pick<RoomParts, 'store' | 'sight'>

/** Rooms that a user may see, by name, with greater names than `after`. */
export async function listRooms(
  { store }: Pick<Parts, 'store'>,
  user: string,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly RoomInfo[]> {
  const rooms = await store.rooms.list(user, page)
  const names = rooms.map(({ name }) => name)
  const views = new Map((await store.rooms.views(user, names)).map((view) => [view.room, view]))
  return rooms.map((row) => infoOf(store, row, views.get(row.name)))
}

/** @throws MessageError `not-found` of a room that is not there, or private and not the user's */
export async function roomInfo(
  { store }: Pick<Parts, 'store'>,
  user: string,
  room: string,
): Promise<RoomInfo> {
  const [view] = await store.rooms.views(user, [room])
  // Asked afterwards: whoever was removed meanwhile gets nothing.
  const found = await store.rooms.sight(room, user)
  if (found === null || (found.room.visibility === 'private' && found.member === null)) throw noRoom()
  return infoOf(store, found.room, view)
}

/** Messages that are there, edited ones as they are now. @throws as `roomInfo` */
export async function roomHistory(
  { store, sight }: Parts,
  { user, room }: { readonly user: string; readonly room: string },
  page: RoomMessagePage,
): Promise<readonly RoomMessage[]> {
  const rows = await store.rooms.messages(room, page)
  // Asked afterwards: a room of which nobody knew may be a private one by now, with messages.
  if (!isSeen(await sight.see(user, room))) throw noRoom()
  return rows.map((row) => roomMessage(row))
}

function infoOf(store: Pick<Parts['store'], 'epoch'>, row: RoomRow, view?: RoomViewRow): RoomInfo {
  const { name, visibility, owner, createdAt } = row
  const { unread = 0, readOffset = null, lastMessage = null } = view ?? {}
  const epoch = streamEpoch(store.epoch, roomStream(name))
  return {
    name,
    visibility,
    owner,
    createdAt,
    unread,
    ...(readOffset !== null && { readEventId: formatEventId(epoch, readOffset) }),
    ...(lastMessage !== null && { lastMessage: roomMessage(lastMessage) }),
  }
}
