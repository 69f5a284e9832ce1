import type { Notification, NotificationEvent } from '../../../protocol/payload/notification.ts'
import { MessageError } from '../../errors.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { NewEvent } from '../../stream/event-row.ts'

/** Characters of JSON: an event must be small beside what may wait unsent for one client. */
const MAX_DATA_LENGTH = 16_384

/** Something that somebody should know. */
export interface Notice extends Pick<Notification, 'title' | 'message' | 'type' | 'data'> {
  readonly userId: string
}

export interface Notified {
  /** Of the stored rows, in the order of the notices. */
  readonly ids: readonly string[]
  /** To be appended by the same transaction; none for what its user has muted. */
  readonly events: readonly NewEvent[]
}

/**
 * Stores notifications, for whatever reason. What a user has muted is stored as read at once, and told
 * to nobody: it is found in the list, and disturbs neither a session nor the count of what is unread.
 *
 * @throws MessageError `invalid-payload` where the data is too long
 */
export async function notify(
  tx: StoreTransaction,
  notices: readonly Notice[],
  createdAt: string,
): Promise<Notified> {
  const muted = await tx.notifications.muted(notices.map(({ userId }) => userId))
  const events: NewEvent[] = []
  const ids = notices.map(({ userId, title, message, type, data }) => {
    checkLength(data)
    const id = timeOrderedId()
    const isMuted = muted.get(userId)?.includes(type) === true
    const texts = { id, title, message, type, createdAt }
    const readAt = isMuted ? createdAt : null
    tx.notifications.insert({ ...texts, userId, data: data ?? null, readAt, archivedAt: null })
    if (!isMuted) events.push(notificationEvent(userId, { ...texts, ...(data !== undefined && { data }) }))
    return id
  })
  return { ids, events }
}

/** What all sessions of a user are told, in the one stream of the user's notifications. */
export function notificationEvent(user: string, payload: Notification | NotificationEvent): NewEvent {
  return {
    stream: `/user/${user}/queue/notifications`,
    address: { kind: 'user', user, destination: '/user/queue/notifications' },
    payload,
  }
}

function checkLength(data: Notice['data']): void {
  if (data === undefined || JSON.stringify(data).length <= MAX_DATA_LENGTH) return
  throw new MessageError('invalid-payload', `/data must be at most ${MAX_DATA_LENGTH} characters of JSON`)
}
