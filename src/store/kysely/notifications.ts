import type { ExpressionBuilder, ExpressionWrapper, Kysely, SqlBool } from 'kysely'
import type {
  NotificationFilter,
  NotificationPage,
  NotificationReader,
  NotificationRow,
} from '../notifications.ts'
import { guarded } from './failures.ts'
import { checked, parseJson, parseTexts, storable, toJson } from './rows.ts'
import type { NotificationTable, Schema } from './schema.ts'

export class KyselyNotifications implements NotificationReader {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  list(userId: string, { before, limit, ...filter }: NotificationPage): Promise<readonly NotificationRow[]> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('notifications')
        .selectAll()
        .where((e) => fits(e, userId, filter))
        .$if(before !== undefined, (q) => q.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toNotification)
    })
  }

  count(userId: string, filter: NotificationFilter): Promise<number> {
    return guarded(async () => {
      const row = await this.#db
        .selectFrom('notifications')
        .select((e) => e.fn.countAll().as('count'))
        .where((e) => fits(e, userId, filter))
        .executeTakeFirst()
      return Number(row?.count ?? 0)
    })
  }

  muted(userId: string): Promise<readonly string[]> {
    return guarded(async () => {
      const row = await this.#db
        .selectFrom('notification_preferences')
        .select('muted')
        .where('user_id', '=', userId)
        .executeTakeFirst()
      return row === undefined ? [] : parseTexts(row.muted)
    })
  }
}

function fits(
  e: ExpressionBuilder<Schema, 'notifications'>,
  userId: string,
  { isRead, isArchived, type }: NotificationFilter,
): ExpressionWrapper<Schema, 'notifications', SqlBool> {
  return e.and([
    e('user_id', '=', userId),
    ...(isRead === undefined ? [] : [e('read_at', isRead ? 'is not' : 'is', null)]),
    ...(isArchived === undefined ? [] : [e('archived_at', isArchived ? 'is not' : 'is', null)]),
    ...(type === undefined ? [] : [e('type', '=', storable(type))]),
  ])
}

export function toNotification(row: NotificationTable): NotificationRow {
  const { id, title, message, type } = row
  return {
    id,
    userId: row.user_id,
    title,
    message,
    type,
    data: parseJson(row.data),
    createdAt: row.created_at,
    readAt: row.read_at,
    archivedAt: row.archived_at,
  }
}

export function fromNotification(row: NotificationRow): NotificationTable {
  const { id, title, message, type } = row
  return checked({
    id,
    user_id: row.userId,
    title,
    message,
    type,
    data: toJson(row.data),
    created_at: row.createdAt,
    read_at: row.readAt,
    archived_at: row.archivedAt,
  })
}
