import { parseEventId, streamEpoch } from '../../../protocol/event-id.ts'
import type { RoomRead } from '../../../protocol/payload/room.ts'
import { MessageError } from '../../errors.ts'
import type { StoredEvent } from '../../store/store.ts'
import { accessIn, noRoom, notYours } from './room-access.ts'
import { roomEvent, roomStream } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'

/** Events looked back over for the message that was read: others than messages are rare. */
const LOOK_BACK = 50

/**
 * Stores how far somebody has read in a room, and tells the others. A place that is not further than the one
 * stored changes nothing.
 *
 * @throws MessageError `forbidden` of a private room of others, `not-found` of a room that is not there,
 * `invalid-payload` where `eventId` names no event of the room that is kept
 */
export async function markRead(
  parts: RoomParts,
  { user, room }: { readonly user: string; readonly room: string },
  eventId: string,
): Promise<void> {
  const sight = await parts.sight.see(user, room)
  if (sight.kind === 'hidden') throw notYours(room)
  if (sight.kind === 'absent') throw noRoom()
  const { offset, messageId } = await placeOf(parts, room, eventId)
  await parts.appender.append(async (tx) => {
    const access = await accessIn(tx, parts, { user, room })
    if (access === 'hidden' || access === 'absent') throw notYours(room)
    const { visibility } = access
    const read: RoomRead = { user, eventId }
    const isFurther = await tx.rooms.advance({ room, user, offset, messageId })
    return { events: isFurther ? [roomEvent({ room, visibility, part: '.read' }, read)] : [], result: null }
  })
}

async function placeOf(
  { store }: Pick<RoomParts, 'store'>,
  room: string,
  eventId: string,
): Promise<{ readonly offset: number; readonly messageId: string }> {
  const stream = roomStream(room)
  const { epoch, offset } = parseEventId(eventId) ?? { epoch: '', offset: 0 }
  const isOurs = epoch === streamEpoch(store.epoch, stream) && offset > 0
  const events = isOurs ? await store.log.read(stream, Math.max(0, offset - LOOK_BACK), LOOK_BACK) : []
  const upTo = events.filter((event) => event.offset <= offset)
  if (upTo.at(-1)?.offset !== offset) {
    throw new MessageError('invalid-payload', '/eventId must be the id of an event of the room')
  }
  return { offset, messageId: upTo.flatMap((event) => messageIdOf(event) ?? []).at(-1) ?? '' }
}

/** Undefined of an event that is no message. */
function messageIdOf({ body }: StoredEvent): string | undefined {
  const event: unknown = JSON.parse(body)
  const isMessage = typeof event === 'object' && event !== null && !('type' in event) && 'id' in event
  return isMessage && typeof event.id === 'string' ? event.id : undefined
}
