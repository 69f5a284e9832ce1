import type { Conversation, PrivateMessage } from '../../../protocol/payload/private-message.ts'
import type { ConversationRow, PrivateMessageRow } from '../../store/conversations.ts'

/** A conversation as `user`, one of the two, sees it. */
export function conversationOf({ other, last, unread }: ConversationRow, user: string): Conversation {
  return { user: other, lastMessage: privateMessageOf(last, user), unread }
}

/** A private message as `user`, who wrote it or got it, sees it. */
export function privateMessageOf(row: PrivateMessageRow, user: string): PrivateMessage {
  const { id, sender, receiver, content, clientId, createdAt, state } = row
  return {
    id,
    sender,
    receiver,
    content,
    timestamp: createdAt,
    status: 'SENT',
    ...(clientId !== null && sender === user && { clientId }),
    receipt: state,
  }
}
