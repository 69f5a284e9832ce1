import { header } from '../../../protocol/frame.ts'
import type { RoomMessage } from '../../../protocol/payload/room-message.ts'
import { ROOM_MESSAGE_SEND } from '../../../protocol/payload/room-message.ts'
import { ROOM_READ_SEND, ROOM_TYPING_SEND } from '../../../protocol/payload/room.ts'
import { MessageError } from '../../errors.ts'
import type { RoomMessagePage } from '../../store/rooms.ts'
import type { App, AppContext } from '../app.ts'
import { markRead } from './mark-read.ts'
import { postMessage } from './post-message.ts'
import { notYours } from './room-access.ts'
import { roomOf } from './room-of.ts'
import type { RoomParts } from './room-parts.ts'
import { roomMessage } from './room-payload.ts'
import { TypingTeller } from './typing.ts'

/** Messages of one answer to `/app/rooms/{room}/history`. */
const DEFAULT_HISTORY = 50
const MAX_HISTORY = 200

/** What answers under `/app/rooms/{room}`, but for `participants`. */
export function registerRooms(app: App, parts: RoomParts): void {
  const typing = new TypingTeller(parts)
  app.message('/app/rooms/{room}/messages', {
    payload: ROOM_MESSAGE_SEND,
    handle: async (context, post) => postMessage(parts, placeOf(context), post),
  })
  app.message('/app/rooms/{room}/typing', {
    payload: ROOM_TYPING_SEND,
    handle: async (context, said) => typing.tell(context.principal.name, roomOf(context), said.typing),
  })
  app.message('/app/rooms/{room}/read', {
    payload: ROOM_READ_SEND,
    handle: async (context, { eventId }) => markRead(parts, placeOf(context), eventId),
  })
  app.subscription('/app/rooms/{room}/history', {
    answer: async (context) => history(parts, context),
  })
}

/** Empty where nobody made the room yet. */
async function history(parts: RoomParts, context: AppContext): Promise<readonly RoomMessage[]> {
  const page = historyPage(context)
  const { user, room } = placeOf(context)
  const rows = await parts.store.rooms.messages(room, page)
  // Asked afterwards: a room of which nobody knew may be a private one by now, with messages.
  const { kind } = await parts.sight.see(user, room)
  if (kind === 'hidden') throw notYours(room)
  return rows.map((row) => roomMessage(row))
}

function placeOf(context: AppContext): { readonly user: string; readonly room: string } {
  return { user: context.principal.name, room: roomOf(context) }
}

/** `limit`, and `before` or `after`, the id of the oldest or newest message one has. */
function historyPage({ headers }: AppContext): RoomMessagePage {
  const before = header(headers, 'before')
  const after = header(headers, 'after')
  const limit = Number(header(headers, 'limit') ?? DEFAULT_HISTORY)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_HISTORY) {
    throw new MessageError('invalid-header', `limit must be a whole number from 1 to ${MAX_HISTORY}`)
  }
  return { limit, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
}
