import type { NotificationAccepted, NotificationPost } from '../../../protocol/payload/notification.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { repeatable } from '../../stream/request-key.ts'
import { notify } from './notify.ts'

const SCOPE = 'POST /api/v1/notifications/send'

/** Tells one user something, in the name of `caller`. Resolves when it is durable; repeatable by `clientId`. */
export async function sendNotification(
  appender: StreamAppender,
  caller: string,
  { clientId, ...post }: NotificationPost,
): Promise<NotificationAccepted> {
  const createdAt = new Date().toISOString()
  const { result, eventIds } = await appender.append(
    async (tx) => {
      const { ids, events } = await notify(tx, [{ type: 'INFO', ...post }], createdAt)
      return { events, result: { id: ids[0] ?? '' } }
    },
    { request: repeatable({ user: caller, scope: SCOPE, clientId }) },
  )
  const [eventId] = eventIds
  return { id: result.id, ...(eventId !== undefined && { eventId }) }
}
