import type { PublicMessage, PublicMessageSend } from '../../../protocol/payload/public-message.ts'
import type {
  MessageAccepted,
  MessageReceipt,
  PrivateMessage,
} from '../../../protocol/payload/private-message.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { MessageRow } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { repeatable } from '../../stream/request-key.ts'

/** Where private messages are shown to their sender and receiver. */
export const PRIVATE_QUEUE = '/user/queue/messages'

const PUBLIC_TOPIC = 'messages'

/** What a repeated `clientId` repeats, whichever way it took and whoever it is for. */
const SCOPE = '/app/messages'

/**
 * Stores a message of `sender` and relays it: to `/topic/messages`, or with a `receiver` to both sides of a
 * conversation. Resolves when it is durable; a repeated `clientId` is answered as the first time.
 */
export async function sendMessage(
  appender: StreamAppender,
  sender: string,
  { content, receiver, clientId }: PublicMessageSend,
): Promise<MessageAccepted> {
  const row: MessageRow = {
    id: timeOrderedId(),
    room: null,
    sender,
    receiver: receiver ?? null,
    content,
    clientId: clientId ?? null,
    replyTo: null,
    status: 'SENT',
    createdAt: new Date().toISOString(),
  }
  const { result, eventIds } = await appender.append(
    async (tx) => {
      tx.messages.insert(row)
      if (receiver !== undefined) tx.deliveries.insert({ id: row.id, sender, receiver, state: 'STORED' })
      const events = receiver === undefined ? [publicEvent(row)] : privateEvents(row, receiver)
      return { events, result: { id: row.id } }
    },
    { request: repeatable({ user: sender, scope: SCOPE, clientId }) },
  )
  return { id: result.id, eventId: eventIds[0] ?? '' }
}

/** Tells the sender of a private message how far it got. */
export function receiptEvent(sender: string, payload: MessageReceipt): NewEvent {
  return queueEvent(sender, '/user/queue/receipts', payload)
}

function publicEvent({ id, sender, content, createdAt }: MessageRow): NewEvent {
  const payload: PublicMessage = { id, sender, content, timestamp: createdAt, status: 'SENT' }
  return { stream: `/topic/${PUBLIC_TOPIC}`, address: { kind: 'topic', topic: PUBLIC_TOPIC }, payload }
}

/** The sender's own comes first: its other devices show what was sent from this one. */
function privateEvents(
  { id, sender, content, clientId, createdAt }: MessageRow,
  receiver: string,
): NewEvent[] {
  const payload: PrivateMessage = { id, sender, receiver, content, timestamp: createdAt, status: 'SENT' }
  const own = { ...payload, ...(clientId !== null && { clientId }) }
  return [
    queueEvent(sender, PRIVATE_QUEUE, own),
    // A note to oneself is one message.
    ...(receiver === sender ? [] : [queueEvent(receiver, PRIVATE_QUEUE, payload)]),
    receiptEvent(sender, { messageId: id, status: 'STORED', at: createdAt }),
  ]
}

function queueEvent(user: string, destination: string, payload: unknown): NewEvent {
  return {
    stream: `/user/${user}${destination.slice('/user'.length)}`,
    address: { kind: 'user', user, destination },
    payload,
  }
}
