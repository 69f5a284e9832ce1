import type { RoomCreated } from '../../../protocol/payload/room-change.ts'
import type { RoomInfo, RoomPost } from '../../../protocol/payload/room.ts'
import { sightOf } from '../../auth/fact-change.ts'
import { MessageError } from '../../errors.ts'
import { repeatable } from '../../stream/request-key.ts'
import { announceFact } from '../announce-fact.ts'
import { roomEvent } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'

/**
 * Makes a room. Whoever followed the name of a private one before it was made, and is no member, follows it no
 * more: the first event of its stream says so.
 *
 * @throws MessageError `conflict` where the name is taken, by a private room of others too
 */
export async function createRoom(
  parts: RoomParts,
  user: string,
  { name, visibility = 'public', clientId }: RoomPost,
): Promise<RoomInfo> {
  const createdAt = new Date().toISOString()
  const { result } = await parts.appender.append(
    async (tx) => {
      const info: RoomInfo = { name, visibility, owner: user, createdAt, unread: 0 }
      if (!(await tx.rooms.create({ name, visibility, owner: user, createdAt }))) {
        throw new MessageError('conflict', 'the name is taken')
      }
      const created: RoomCreated = { type: 'created', room: name, by: user, at: createdAt }
      const events = visibility === 'private' ? [roomEvent({ room: name, visibility }, created)] : []
      return { events, result: info }
    },
    { request: repeatable({ user, scope: 'POST /api/v1/rooms', clientId }) },
  )
  if (result.visibility === 'private') await announceFact(parts, sightOf(result.name))
  else parts.sight.notePublic(result.name)
  return result
}
