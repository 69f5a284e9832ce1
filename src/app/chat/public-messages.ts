import {
  PUBLIC_MESSAGE_SEND,
  type PublicMessage,
  type PublicMessageSend,
} from '../../../protocol/payload/public-message.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { repeatable } from '../../stream/request-key.ts'
import type { MessageRow } from '../../store/store.ts'
import type { App, AppContext } from '../app.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'

export const PUBLIC_TOPIC = 'messages'

/** What a repeated `clientId` repeats, under either name and whoever it is for. */
const SCOPE = '/app/messages'

/** `/app/messages` and its older name `/app/send`: to everybody, or with a `receiver` to one user. */
export function registerPublicMessages(app: App, appender: StreamAppender): void {
  for (const pattern of ['/app/messages', '/app/send']) {
    app.message(pattern, {
      payload: PUBLIC_MESSAGE_SEND,
      handle: (context, payload) => sendMessage(appender, context, payload),
    })
  }
}

async function sendMessage(
  appender: StreamAppender,
  { principal }: AppContext,
  payload: PublicMessageSend,
): Promise<void> {
  const row: MessageRow = {
    id: timeOrderedId(),
    room: null,
    // The body may claim another sender; only the authenticated name counts.
    sender: principal.name,
    receiver: payload.receiver ?? null,
    content: payload.content,
    clientId: payload.clientId ?? null,
    replyTo: null,
    status: 'SENT',
    createdAt: new Date().toISOString(),
  }
  await appender.append(
    async (tx) => {
      tx.messages.insert(row)
      return { events: eventsOf(row), result: { id: row.id } }
    },
    { request: repeatable({ user: principal.name, scope: SCOPE, clientId: payload.clientId }) },
  )
}

function eventsOf(row: MessageRow): NewEvent[] {
  const payload: PublicMessage = {
    id: row.id,
    sender: row.sender,
    content: row.content,
    timestamp: row.createdAt,
    status: 'SENT',
  }
  if (row.receiver === null) {
    return [{ stream: `/topic/${PUBLIC_TOPIC}`, address: { kind: 'topic', topic: PUBLIC_TOPIC }, payload }]
  }
  // The sender's other devices show what was sent from this one.
  return [...new Set([row.receiver, row.sender])].map((user) => ({
    stream: `/user/${user}/queue/messages`,
    address: { kind: 'user', user, destination: '/user/queue/messages' },
    payload: { ...payload, receiver: row.receiver },
  }))
}
