import type { Kysely } from 'kysely'
import type { NotificationChange, NotificationRow, NotificationWriter } from '../notifications.ts'
import { portionsOf } from './chunks.ts'
import type { Idiom } from './idiom.ts'
import { fromNotification, toNotification } from './notifications.ts'
import { checked, checkedKey, parseTexts, toJson } from './rows.ts'
import type { NotificationPreferenceTable, NotificationTable, Schema } from './schema.ts'
import type { Asking } from './transaction-orders.ts'

/** What is to happen to rows of one user, and what it makes of a row that is there, or not. */
export type StagedNotificationChange =
  | { readonly kind: 'insert'; readonly row: NotificationTable }
  | { readonly kind: 'mute'; readonly row: NotificationPreferenceTable }
  | {
      readonly kind: 'change'
      readonly userId: string
      readonly id: string
      readonly set: Partial<Pick<NotificationTable, 'read_at' | 'archived_at'>>
    }
  | { readonly kind: 'remove'; readonly userId: string; readonly id: string }
  | { readonly kind: 'read-all'; readonly userId: string; readonly readAt: string }
  | { readonly kind: 'remove-all'; readonly userId: string }

const USERS_A_STATEMENT = 500

/** What a transaction does to notifications. */
export class NotificationChanges implements NotificationWriter {
  /** In the order of calls; what is dropped from its end does not happen. */
  readonly staged: StagedNotificationChange[] = []
  readonly #db: Kysely<Schema>
  readonly #idiom: Idiom
  readonly #asking: Asking
  /** As the database has it; of each user it is asked once. */
  readonly #muted = new Map<string, readonly string[]>()

  constructor({ db, idiom }: { readonly db: Kysely<Schema>; readonly idiom: Idiom }, asking: Asking) {
    this.#db = db
    this.#idiom = idiom
    this.#asking = asking
  }

  insert(row: NotificationRow): void {
    this.#stage({ kind: 'insert', row: fromNotification(row) })
  }

  change(userId: string, id: string, { readAt, archivedAt }: NotificationChange): void {
    const set = {
      ...(readAt !== undefined && { read_at: readAt }),
      ...(archivedAt !== undefined && { archived_at: archivedAt }),
    }
    if (Object.keys(set).length > 0) this.#stage({ kind: 'change', userId, id, set })
  }

  remove(userId: string, id: string): void {
    this.#stage({ kind: 'remove', userId, id })
  }

  readAll(userId: string, readAt: string): void {
    this.#stage({ kind: 'read-all', userId, readAt })
  }

  removeAll(userId: string): void {
    this.#stage({ kind: 'remove-all', userId })
  }

  mute(userId: string, types: readonly string[]): void {
    this.#stage({ kind: 'mute', row: checked({ user_id: userId, muted: toJson(types) }) })
  }

  async find(userId: string, id: string): Promise<NotificationRow | null> {
    this.#asking.mustBeOpen()
    checkedKey('id', id)
    const stored = await this.#asking.ask(() =>
      this.#db.selectFrom('notifications').selectAll().where('id', '=', id).executeTakeFirst(),
    )
    const row = this.staged.reduce((before, change) => after(before, change, id), stored)
    return row?.user_id === userId ? toNotification(row) : null
  }

  async muted(users: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    this.#asking.mustBeOpen()
    const unknown = [...new Set(users)].filter((user) => !this.#muted.has(user))
    for (const portion of portionsOf(unknown, USERS_A_STATEMENT)) {
      const rows = await this.#asking.ask(() =>
        this.#db.selectFrom('notification_preferences').selectAll().where('user_id', 'in', portion).execute(),
      )
      for (const user of portion) this.#muted.set(user, [])
      for (const { user_id, muted } of rows) this.#muted.set(user_id, parseTexts(muted))
    }
    const found = new Map(users.map((user) => [user, this.#muted.get(user) ?? []]))
    for (const change of this.staged) {
      if (change.kind !== 'mute' || !found.has(change.row.user_id)) continue
      found.set(change.row.user_id, parseTexts(change.row.muted))
    }
    return found
  }

  /** All that is staged, where that is nothing but inserts: they may be written together with events. */
  takeInserts(): readonly NotificationTable[] {
    const rows = this.staged.flatMap((change) => (change.kind === 'insert' ? [change.row] : []))
    if (rows.length < this.staged.length) return []
    this.staged.length = 0
    return rows
  }

  async flush(): Promise<void> {
    let inserts: NotificationTable[] = []
    const insert = async (): Promise<void> => {
      const rows = inserts
      inserts = []
      if (rows.length === 0) return
      await this.#asking.ask(() => this.#idiom.insertRows(this.#db, 'notifications', rows))
    }
    for (const change of this.staged) {
      if (change.kind === 'insert') {
        inserts.push(change.row)
      } else {
        await insert()
        await this.#asking.ask(() => this.#perform(change))
      }
    }
    await insert()
  }

  async #perform(change: Exclude<StagedNotificationChange, { kind: 'insert' }>): Promise<void> {
    const db = this.#db
    switch (change.kind) {
      case 'change': {
        const { userId, id, set } = change
        const update = db.updateTable('notifications').set(set)
        await update.where('id', '=', id).where('user_id', '=', userId).execute()
        return
      }
      case 'remove': {
        const { userId, id } = change
        await db.deleteFrom('notifications').where('id', '=', id).where('user_id', '=', userId).execute()
        return
      }
      case 'read-all': {
        const update = db.updateTable('notifications').set({ read_at: change.readAt })
        await update.where('user_id', '=', change.userId).where('read_at', 'is', null).execute()
        return
      }
      case 'remove-all':
        await db.deleteFrom('notifications').where('user_id', '=', change.userId).execute()
        return
      case 'mute':
        await this.#mute(change.row)
    }
  }

  async #mute(row: NotificationPreferenceTable): Promise<void> {
    if (await this.#idiom.insertMissing(this.#db, 'notification_preferences', row)) return
    await this.#db
      .updateTable('notification_preferences')
      .set({ muted: row.muted })
      .where('user_id', '=', row.user_id)
      .execute()
  }

  #stage(change: StagedNotificationChange): void {
    this.#asking.mustBeOpen()
    this.staged.push(change)
  }
}

/** The row of that id once the change has happened. */
function after(
  row: NotificationTable | undefined,
  change: StagedNotificationChange,
  id: string,
): NotificationTable | undefined {
  if (change.kind === 'insert') return change.row.id === id ? change.row : row
  if (change.kind === 'mute' || row?.user_id !== change.userId) return row
  if ('id' in change && change.id !== id) return row
  if (change.kind === 'change') return { ...row, ...change.set }
  return change.kind === 'read-all' ? { ...row, read_at: row.read_at ?? change.readAt } : undefined
}
