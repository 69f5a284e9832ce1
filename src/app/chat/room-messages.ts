import { header } from '../../../protocol/frame.ts'
import { ROOM_MESSAGE_SEND, type RoomMessage } from '../../../protocol/payload/room-message.ts'
import { MessageError } from '../../errors.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { MessageRow, Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { repeatable } from '../../stream/request-key.ts'
import type { App, AppContext } from '../app.ts'
import { roomOf } from './room-of.ts'

/** Messages of one answer to `/app/rooms/{room}/history`. */
const DEFAULT_HISTORY = 50
const MAX_HISTORY = 200

/** `/app/rooms/{room}/messages` and `/app/rooms/{room}/history`. */
export function registerRoomMessages(app: App, parts: { appender: StreamAppender; store: Store }): void {
  app.message('/app/rooms/{room}/messages', {
    payload: ROOM_MESSAGE_SEND,
    async handle(context, payload) {
      const row: MessageRow = {
        id: timeOrderedId(),
        room: roomOf(context),
        sender: context.principal.name,
        receiver: null,
        content: payload.content,
        clientId: payload.clientId ?? null,
        replyTo: payload.replyTo ?? null,
        status: 'SENT',
        createdAt: new Date().toISOString(),
      }
      await storeRoomMessage(parts.appender, row)
    },
  })
  app.subscription('/app/rooms/{room}/history', {
    async answer(context) {
      const page = historyPage(context)
      const rows = await parts.store.messages.list({ kind: 'room', room: roomOf(context) }, page)
      return rows.map((row) => payloadOf(row))
    },
  })
}

async function storeRoomMessage(appender: StreamAppender, row: MessageRow): Promise<void> {
  const topic = `rooms.${row.room}`
  const scope = `/app/rooms/${row.room}/messages`
  await appender.append(
    async (tx) => {
      tx.messages.insert(row)
      const event = {
        stream: `/topic/${topic}`,
        address: { kind: 'topic', topic } as const,
        payload: payloadOf(row),
      }
      return { events: [event], result: { id: row.id } }
    },
    { request: repeatable({ user: row.sender, scope, clientId: row.clientId ?? undefined }) },
  )
}

function payloadOf(row: MessageRow): RoomMessage {
  return {
    id: row.id,
    room: row.room ?? '',
    sender: row.sender,
    content: row.content,
    timestamp: row.createdAt,
    ...(row.replyTo !== null && { replyTo: row.replyTo }),
    ...(row.clientId !== null && { clientId: row.clientId }),
  }
}

/** `limit` and `before`, the id of the oldest message one has. Newest first. */
function historyPage({ headers }: AppContext): { limit: number; before?: string } {
  const before = header(headers, 'before')
  const limit = Number(header(headers, 'limit') ?? DEFAULT_HISTORY)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_HISTORY) {
    throw new MessageError('invalid-header', `limit must be a whole number from 1 to ${MAX_HISTORY}`)
  }
  return { limit, ...(before !== undefined && { before }) }
}
