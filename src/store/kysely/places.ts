import { sql, type Kysely } from 'kysely'
import type { Presence } from '../store.ts'
import { portionsOf } from './chunks.ts'
import type { Idiom } from './idiom.ts'
import { placeOf, roomOf } from './rows.ts'
import type { Schema } from './schema.ts'

/** So many changes of different users may happen at once over all nodes, if their names fall well. */
const SLOTS = 64
const USERS_A_STATEMENT = 500
const PLACES_A_STATEMENT = 200

/**
 * Who is where, within a transaction of its own. Whoever looks whether somebody is the first or the last
 * one somewhere holds the lock of that user, so that the answer is still true when it commits.
 */
export class Places {
  readonly #idiom: Idiom

  constructor(idiom: Idiom) {
    this.#idiom = idiom
  }

  /** Sees to the rows that are locked. */
  async prepare(db: Kysely<Schema>): Promise<void> {
    const { hasRowLocks } = this.#idiom
    if (!hasRowLocks) return
    const rows = await db.selectFrom('presence_locks').select('slot').execute()
    const there = new Set(rows.map(({ slot }) => slot))
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (!there.has(slot)) await this.#idiom.insertMissing(db, 'presence_locks', { slot })
    }
  }

  /** Until the transaction ends. Answers the time by then: later changes of these users have later ones. */
  async lock(db: Kysely<Schema>, presences: readonly Presence[]): Promise<string> {
    // Without row locks there is one writer at a time.
    if (this.#idiom.hasRowLocks && presences.length > 0) await this.#lockSlots(db, presences)
    const { rows } = await sql<{ now_ms: number }>`select ${this.#idiom.nowMs} as now_ms`.execute(db)
    return new Date(rows[0]?.now_ms ?? 0).toISOString()
  }

  async #lockSlots(db: Kysely<Schema>, presences: readonly Presence[]): Promise<void> {
    const slots = [...new Set(presences.map(({ user }) => slotOf(user)))]
    await db
      .selectFrom('presence_locks')
      .select('slot')
      .where('slot', 'in', slots)
      .orderBy('slot')
      .forUpdate()
      .execute()
  }

  /** Those whom no owner has there. */
  async notHeld(db: Kysely<Schema>, presences: readonly Presence[]): Promise<Presence[]> {
    const held = new Set<string>()
    const users = [...new Set(presences.map(({ user }) => user))]
    for (const portion of portionsOf(users, USERS_A_STATEMENT)) {
      const rows = await db
        .selectFrom('presences')
        .select(['user_id', 'place'])
        .distinct()
        .where('user_id', 'in', portion)
        .execute()
      for (const row of rows) held.add(keyOf(row.user_id, row.place))
    }
    return presences
      .filter(({ user, room }) => !held.has(keyOf(user, placeOf(room))))
      .map(({ user, room }) => ({ user, room }))
  }

  async remove(db: Kysely<Schema>, owner: string, presences: readonly Presence[]): Promise<void> {
    for (const portion of portionsOf(presences, PLACES_A_STATEMENT)) {
      await db
        .deleteFrom('presences')
        .where('owner', '=', owner)
        .where((e) =>
          e.or(
            portion.map(({ user, room }) => e.and([e('user_id', '=', user), e('place', '=', placeOf(room))])),
          ),
        )
        .execute()
    }
  }

  /** Removes at most `limit` of an owner's; answers how many there were, and who is gone by it. */
  async clear(
    db: Kysely<Schema>,
    owner: string,
    limit: number,
  ): Promise<{ went: Presence[]; at: string; count: number }> {
    const rows = await db
      .selectFrom('presences')
      .select(['user_id', 'place'])
      .where('owner', '=', owner)
      .limit(limit)
      .execute()
    const presences = rows.map((row) => ({ user: row.user_id, room: roomOf(row.place) }))
    const at = await this.lock(db, presences)
    await this.remove(db, owner, presences)
    return { went: await this.notHeld(db, presences), at, count: rows.length }
  }
}

/** Neither a user's name nor a room's holds a line feed. */
function keyOf(user: string, place: string): string {
  return `${user}\n${place}`
}

function slotOf(user: string): number {
  let hash = 0
  for (let i = 0; i < user.length; i += 1) hash = (Math.imul(hash, 31) + user.charCodeAt(i)) >>> 0
  return hash % SLOTS
}
