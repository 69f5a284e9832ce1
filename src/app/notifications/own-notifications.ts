import type {
  NotificationEvent,
  NotificationItem,
  NotificationPatch,
} from '../../../protocol/payload/notification.ts'
import { MessageError } from '../../errors.ts'
import type { NotificationRow } from '../../store/notifications.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { notificationEvent } from './notify.ts'

/** What a user does with notifications of its own. Every change is told in the stream of them, to all its sessions. */
export class OwnNotifications {
  readonly #appender: StreamAppender

  constructor(appender: StreamAppender) {
    this.#appender = appender
  }

  /**
   * Changes one, and answers what it is then. What changes nothing is told to nobody.
   *
   * @throws MessageError `not-found` where the user has no such notification
   */
  change(user: string, id: string, { read, archived }: NotificationPatch): Promise<NotificationRow> {
    if (read === undefined && archived === undefined) {
      throw new MessageError('invalid-payload', 'the body must have read or archived')
    }
    return this.#write(user, async (tx, at) => {
      const row = await findOwn(tx, user, id)
      const isNew = {
        read: read !== undefined && read !== (row.readAt !== null),
        archived: archived !== undefined && archived !== (row.archivedAt !== null),
      }
      if (!isNew.read && !isNew.archived) return { result: row }
      const change = {
        ...(isNew.read && { readAt: read === true ? at : null }),
        ...(isNew.archived && { archivedAt: archived === true ? at : null }),
      }
      tx.notifications.change(user, id, change)
      const told = { ...(isNew.read && { read }), ...(isNew.archived && { archived }) }
      return { result: { ...row, ...change }, event: { type: 'changed', id, ...told, at } }
    })
  }

  readAll(user: string): Promise<void> {
    return this.#write(user, async (tx, at) => {
      tx.notifications.readAll(user, at)
      return { result: undefined, event: { type: 'all-read', at } }
    })
  }

  /** @throws MessageError `not-found` where the user has no such notification */
  remove(user: string, id: string): Promise<void> {
    return this.#write(user, async (tx, at) => {
      await findOwn(tx, user, id)
      tx.notifications.remove(user, id)
      return { result: undefined, event: { type: 'deleted', id, at } }
    })
  }

  removeAll(user: string): Promise<void> {
    return this.#write(user, async (tx, at) => {
      tx.notifications.removeAll(user)
      return { result: undefined, event: { type: 'all-deleted', at } }
    })
  }

  /** Mutes these types and no others, and answers them, each once. */
  mute(user: string, types: readonly string[]): Promise<readonly string[]> {
    const muted = [...new Set(types)]
    return this.#write(user, async (tx, at) => {
      const before = new Set((await tx.notifications.muted([user])).get(user))
      if (before.size === muted.length && muted.every((type) => before.has(type))) return { result: muted }
      tx.notifications.mute(user, muted)
      return { result: muted, event: { type: 'preferences', muted, at } }
    })
  }

  async #write<R>(
    user: string,
    work: (
      tx: StoreTransaction,
      at: string,
    ) => Promise<{ readonly result: R; readonly event?: NotificationEvent }>,
  ): Promise<R> {
    const at = new Date().toISOString()
    const { result } = await this.#appender.append(async (tx) => {
      const { result: answer, event } = await work(tx, at)
      return { events: event === undefined ? [] : [notificationEvent(user, event)], result: answer }
    })
    return result
  }
}

async function findOwn(tx: StoreTransaction, user: string, id: string): Promise<NotificationRow> {
  const row = await tx.notifications.find(user, id)
  if (row === null) throw new MessageError('not-found', 'there is no such notification')
  return row
}

/** As the API shows it. */
export function notificationItem(row: NotificationRow): NotificationItem {
  const { id, title, message, type, data, createdAt, readAt, archivedAt } = row
  return {
    id,
    title,
    message,
    type,
    ...(isRecord(data) && { data }),
    createdAt,
    read: readAt !== null,
    archived: archivedAt !== null,
    ...(readAt !== null && { readAt }),
    ...(archivedAt !== null && { archivedAt }),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
