import type { Kysely, RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type {
  Burial,
  NewOwner,
  NodeReport,
  NodeStatusRow,
  Page,
  PresenceChange,
  PresenceRepository,
  PresenceTurns,
  PresentPage,
  PresentRow,
  SessionFilter,
  SessionRow,
} from '../store.ts'
import { portionsOf } from './chunks.ts'
import { guarded } from './failures.ts'
import { Places } from './places.ts'
import {
  checkedKey,
  fromOwner,
  fromPresence,
  fromSession,
  parseReport,
  placeOf,
  toJson,
  toSession,
} from './rows.ts'
import type { Schema } from './schema.ts'
import type { StoreConnections } from './store-connections.ts'

export interface PresenceOptions extends StoreConnections {
  /** Runs in turn with the other transactions of its kind. */
  transact<R>(work: (db: Kysely<Schema>) => Promise<R>): Promise<R>
}

const IDS_A_STATEMENT = 500

export class KyselyPresence implements PresenceRepository {
  readonly #options: PresenceOptions
  readonly #places: Places

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#places = new Places(options.idiom)
  }

  register(owner: NewOwner): Promise<void> {
    const { idiom, aside } = this.#options
    return guarded(async () => {
      await this.#places.prepare(aside)
      const times = { renewed_ms: idiom.nowMs, expires_ms: this.#inMs(owner.ttlMs) }
      await aside
        .insertInto('owners')
        .values({ ...fromOwner(owner), is_dead: 0, ...times })
        .execute()
    })
  }

  renew(
    owner: string,
    { report, ttlMs }: { readonly report: NodeReport; readonly ttlMs: number },
  ): Promise<boolean> {
    const { idiom, aside } = this.#options
    return guarded(async () => {
      const { numUpdatedRows } = await aside
        .updateTable('owners')
        .set({ report: toJson(report), renewed_ms: idiom.nowMs, expires_ms: this.#inMs(ttlMs) })
        .where('owner', '=', owner)
        .where('is_dead', '=', 0)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }

  retire(owner: string, graceMs: number): Promise<void> {
    return guarded(() =>
      this.#options.transact(async (db) => {
        await db
          .updateTable('owners')
          .set({ expires_ms: this.#inMs(graceMs) })
          .where('owner', '=', owner)
          .where('is_dead', '=', 0)
          .execute()
        await db.deleteFrom('sessions').where('owner', '=', owner).execute()
      }),
    )
  }

  async change(owner: string, change: PresenceChange): Promise<PresenceTurns | null> {
    const sessions = change.opened.map((row) => fromSession(row, owner))
    const entered = change.entered.map((row) => fromPresence(row, owner))
    for (const { user } of change.left) checkedKey('user_id', user)
    const { idiom } = this.#options
    return guarded(() =>
      this.#options.transact(async (db) => {
        if (!(await this.#isKept(db, owner))) return null
        for (const ids of portionsOf(change.closed, IDS_A_STATEMENT)) {
          await db.deleteFrom('sessions').where('owner', '=', owner).where('id', 'in', ids).execute()
        }
        await idiom.insertRows(db, 'sessions', sessions)
        const at = await this.#places.lock(db, [...change.entered, ...change.left])
        const came = await this.#places.notHeld(db, change.entered)
        await idiom.insertRows(db, 'presences', entered)
        await this.#places.remove(db, owner, change.left)
        return { came, went: await this.#places.notHeld(db, change.left), at }
      }),
    )
  }

  bury(limit: number): Promise<Burial | null> {
    const { idiom, aside } = this.#options
    return guarded(async () => {
      await aside
        .updateTable('owners')
        .set({ is_dead: 1 })
        .where('is_dead', '=', 0)
        .where('expires_ms', '<=', idiom.nowMs)
        .execute()
      const someone = await aside
        .selectFrom('owners')
        .select('owner')
        .where('is_dead', '=', 1)
        .executeTakeFirst()
      return someone === undefined ? null : this.#options.transact((db) => this.#buryOne(db, limit))
    })
  }

  sessions({ user, nodeId }: SessionFilter, { limit, before }: Page): Promise<readonly SessionRow[]> {
    return guarded(async () => {
      const rows = await this.#sessionRows()
        .$if(user !== undefined, (query) => query.where('user_id', '=', user ?? ''))
        .$if(nodeId !== undefined, (query) => query.where('node', '=', nodeId ?? ''))
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toSession)
    })
  }

  findSession(id: string): Promise<SessionRow | null> {
    return guarded(async () => {
      const row = await this.#sessionRows().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : toSession(row)
    })
  }

  present(room: string | null, { limit, after = '' }: PresentPage): Promise<readonly PresentRow[]> {
    return guarded(async () => {
      const rows = await this.#options.reader
        .selectFrom('presences')
        .select((e) => ['user_id', e.fn.min('since').as('since')])
        .where('place', '=', placeOf(room))
        .where('user_id', '>', after)
        .groupBy('user_id')
        .orderBy('user_id')
        .limit(limit)
        .execute()
      return rows.map(({ user_id, since }) => ({ user: user_id, since }))
    })
  }

  countPresent(room: string | null): Promise<number> {
    return guarded(async () => {
      const { count } = await this.#options.reader
        .selectFrom('presences')
        .select((e) => e.fn.count('user_id').distinct().as('count'))
        .where('place', '=', placeOf(room))
        .executeTakeFirstOrThrow()
      return Number(count)
    })
  }

  nodes(): Promise<readonly NodeStatusRow[]> {
    const { idiom, reader } = this.#options
    return guarded(async () => {
      const rows = await reader
        .selectFrom('owners')
        .select((e) => [
          'node',
          'report',
          'renewed_ms',
          e
            .selectFrom('sessions')
            .select((s) => s.fn.countAll().as('count'))
            .whereRef('sessions.owner', '=', 'owners.owner')
            .as('sessions'),
        ])
        .where('is_dead', '=', 0)
        .where('expires_ms', '>', idiom.nowMs)
        .orderBy('node')
        .orderBy('renewed_ms')
        .execute()
      return rows.map(({ node, report, renewed_ms, sessions }) => ({
        nodeId: node,
        report: parseReport(report),
        sessions: Number(sessions),
        renewedAt: new Date(renewed_ms).toISOString(),
      }))
    })
  }

  async #buryOne(db: Kysely<Schema>, limit: number): Promise<Burial | null> {
    const { hasRowLocks } = this.#options.idiom
    const dead = await db
      .selectFrom('owners')
      .select(['owner', 'node'])
      .where('is_dead', '=', 1)
      .orderBy('owner')
      .limit(1)
      .$if(hasRowLocks, (query) => query.forUpdate().skipLocked())
      .executeTakeFirst()
    if (dead === undefined) return null
    const { numDeletedRows } = await db
      .deleteFrom('sessions')
      .where('owner', '=', dead.owner)
      .executeTakeFirst()
    const { went, at, count } = await this.#places.clear(db, dead.owner, limit)
    if (count < limit) await db.deleteFrom('owners').where('owner', '=', dead.owner).execute()
    return { nodeId: dead.node, went, at, sessions: Number(numDeletedRows) }
  }

  /** Locks the owner, so that nobody gives it up meanwhile. */
  async #isKept(db: Kysely<Schema>, owner: string): Promise<boolean> {
    const row = await db
      .selectFrom('owners')
      .select('is_dead')
      .where('owner', '=', owner)
      .$if(this.#options.idiom.hasRowLocks, (query) => query.forUpdate())
      .executeTakeFirst()
    return row?.is_dead === 0
  }

  #sessionRows() {
    const { idiom, reader } = this.#options
    return reader
      .selectFrom('sessions')
      .innerJoin('owners', 'owners.owner', 'sessions.owner')
      .selectAll('sessions')
      .select('node')
      .where('is_dead', '=', 0)
      .where('expires_ms', '>', idiom.nowMs)
  }

  #inMs(ms: number): RawBuilder<number> {
    return sql`${this.#options.idiom.nowMs} + ${ms}`
  }
}
