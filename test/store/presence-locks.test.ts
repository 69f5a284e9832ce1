import t, { type Test } from 'tap'
import { parseDatabaseUrl } from '../../src/config/database-url.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { openServer } from '../../src/store/kysely/open-server.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { endConnections } from '../../src/store/kysely/store-connections.ts'
import type { Store } from '../../src/store/store.ts'
import { useMariaDb } from '../support/mariadb.ts'
import { usePostgres } from '../support/postgres.ts'

t.setTimeout(240_000)

const LONG_MS = 600_000
const LOCK_MS = 1000
const ONLINE = { opened: [], closed: [], entered: [{ user: 'ann', room: null, since: 'then' }], left: [] }

async function connect(t: Test, url: string) {
  const parsed = parseDatabaseUrl(url)
  if (parsed.kind === 'sqlite') throw new Error('SQLite has no row locks')
  const connections = await openServer(parsed, {
    waitMs: 0,
    onWaiting: () => undefined,
    timeouts: { idleInTransactionMs: 120_000 },
  })
  t.teardown(() => endConnections(connections))
  return connections.aside
}

/** Holds the row of an owner until the answered function is called. */
async function hold(t: Test, url: string, owner: string): Promise<() => Promise<void>> {
  const db = await connect(t, url)
  const [holds, ends] = [deferred(), deferred()]
  const held = db.transaction().execute(async (tx) => {
    await tx.selectFrom('owners').select('owner').where('owner', '=', owner).forUpdate().execute()
    holds.resolve()
    await ends.promise
  })
  await holds.promise
  return async () => {
    ends.resolve()
    await held
  }
}

async function open(t: Test, url: string): Promise<Store> {
  const store = await openStore({ url, nodeId: 'n', lock: true, timeouts: { lockMs: LOCK_MS } })
  t.teardown(() => store.close())
  return store
}

const register = (store: Store, owner: string, ttlMs: number): Promise<void> =>
  store.presence.register({ owner, nodeId: `node of ${owner}`, report: {}, ttlMs })

for (const [kind, useServer] of [
  ['PostgreSQL', usePostgres],
  ['MariaDB', useMariaDb],
] as const) {
  await t.test(`${kind}: an owner whose row is held keeps no other from being buried`, async (t) => {
    const url = await useServer(t)
    const store = await open(t, url)
    await register(store, 'held', 0)
    await register(store, 'other', 0)
    const release = await hold(t, url, 'held')
    t.match(await store.presence.bury(10), { nodeId: 'node of other' })
    t.equal(await store.presence.bury(10), null)
    await release()
    t.match(await store.presence.bury(10), { nodeId: 'node of held' })
  })

  await t.test(`${kind}: a change that waited too long for a lock is tried again`, async (t) => {
    const url = await useServer(t)
    const store = await open(t, url)
    await register(store, 'a', LONG_MS)
    const release = await hold(t, url, 'a')
    const change = store.presence.change('a', ONLINE)
    // Waits for the same lock, and gives up later than the first attempt of the change.
    const second = await openStore({ url, nodeId: 'm', lock: true, timeouts: { lockMs: 2 * LOCK_MS } })
    t.teardown(() => second.close())
    await t.rejects(second.presence.renew('a', { report: {}, ttlMs: 1 }), { code: 'store-unavailable' })
    await release()
    t.match(await change, { came: [{ user: 'ann', room: null }] })
  })

  await t.test(`${kind}: a burial that others are in the way of is put off, and no failure`, async (t) => {
    const url = await useServer(t)
    const store = await open(t, url)
    await register(store, 'a', LONG_MS)
    await store.presence.change('a', ONLINE)
    await store.presence.retire('a', 0)
    const db = await connect(t, url)
    const ended = await db.transaction().execute(async (tx) => {
      await tx.selectFrom('presence_locks').select('slot').forUpdate().execute()
      return store.presence.bury(10)
    })
    t.equal(ended, null)
    t.match(await store.presence.bury(10), { went: [{ user: 'ann', room: null }] })
  })
}
