import { MESSAGE_READ, PRIVATE_MESSAGE_SEND } from '../../../protocol/payload/private-message.ts'
import { isPrincipalName } from '../../auth/principal.ts'
import { MessageError } from '../../errors.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { App, AppContext } from '../app.ts'
import { receiptEvent, sendMessage } from './send-message.ts'

/** `/app/users/{user}/messages` and `/app/messages/{id}/read`. */
export function registerPrivateMessages(app: App, appender: StreamAppender): void {
  app.message('/app/users/{user}/messages', {
    payload: PRIVATE_MESSAGE_SEND,
    async handle(context, payload) {
      await sendMessage(appender, context.principal.name, { ...payload, receiver: userOf(context) })
    },
  })
  app.message('/app/messages/{id}/read', {
    payload: MESSAGE_READ,
    isBodyOptional: true,
    handle: ({ principal, params }) => readMessage(appender, principal.name, params['id'] ?? ''),
  })
}

/** @throws MessageError `invalid-destination` where nobody can be called that */
function userOf({ params }: Pick<AppContext, 'params'>): string {
  const user = params['user']
  if (!isPrincipalName(user)) {
    throw new MessageError('invalid-destination', 'a user name is 1 to 64 of A-Z a-z 0-9 _ . @ -')
  }
  return user
}

/**
 * The receiver has read a message, and so got it. Idempotent.
 *
 * Rejects with `not-found` where there is none, or it is for somebody else.
 */
async function readMessage(appender: StreamAppender, user: string, id: string): Promise<void> {
  const at = new Date().toISOString()
  await appender.append(async (tx) => {
    const [row] = await tx.deliveries.find([id])
    if (row?.receiver !== user) {
      throw new MessageError('not-found', 'there is no such message for you')
    }
    if (row.state === 'READ') return { events: [], result: undefined }
    tx.deliveries.save({ ...row, state: 'READ' })
    const statuses = row.state === 'STORED' ? (['DELIVERED', 'READ'] as const) : (['READ'] as const)
    const events = statuses.map((status) => receiptEvent(row.sender, { messageId: id, status, at }))
    return { events, result: undefined }
  })
}
