import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { timeOrderedId } from '../../src/lib/time-ordered-id.ts'
import type { OperationRow } from '../../src/store/operations.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { until } from '../support/until.ts'

/** How many of one user may wait or run. */
const MAX_PENDING = 20
const LONG_MS = 3_600_000

const EXPORT = { type: 'history-export', params: { room: 'held-up' } }

/** An operation that a node of ours, which is not there, runs until its lease is over. */
async function held(store: Store, user: string, leaseMs: number): Promise<string> {
  const now = new Date().toISOString()
  const row: OperationRow = {
    ...EXPORT,
    id: timeOrderedId(),
    user,
    state: 'RUNNING',
    done: 0,
    total: null,
    error: null,
    node: 'elsewhere',
    run: randomUUID(),
    checkpoint: null,
    isCancelRequested: false,
    attempts: 1,
    parts: 0,
    createdAt: now,
    startedAt: now,
    endedAt: null,
  }
  await store.transact(async (tx) => {
    tx.operations.insert({ ...row, state: 'QUEUED', node: null, run: null, startedAt: null })
    await tx.operations.find(row.id)
    tx.operations.save(row, leaseMs)
  })
  return row.id
}

/** What the runner and the bounds do around an operation that somebody else runs. */
export async function operationBounds(t: Test, { west, east, databaseUrl }: Service): Promise<void> {
  const store = await openStore({ url: databaseUrl, nodeId: 'elsewhere', lock: false })
  t.teardown(() => store.close())
  await (await ApiClient.as(west, 'alice')).post('/rooms', { name: EXPORT.params.room, visibility: 'public' })

  await t.test('an operation goes on at another node when the lease of its own is over', async (t) => {
    const user = `resumed-${randomUUID().slice(0, 8)}`
    const api = await ApiClient.as(east, user)
    const id = await held(store, user, 1)
    const state = async (): Promise<unknown> => (await api.get(`/operations/${id}`)).body['state']
    await until(async () => (await state()) === 'SUCCEEDED')
    t.equal((await api.get(`/operations/${id}/result`)).status, 200)
  })

  await t.test(
    'DELETE /operations/{id} asks the one that runs, and ends the one that waits at once',
    async (t) => {
      const user = `waiting-${randomUUID().slice(0, 8)}`
      const api = await ApiClient.as(west, user)
      const running = await held(store, user, LONG_MS)
      const waiting = await api.post('/operations', EXPORT)
      t.match(await api.get(`/operations/${running}/result`), { status: 409, body: { code: 'conflict' } })
      const there = await ApiClient.as(east, user)
      t.match(await there.delete(`/operations/${String(waiting.body['id'])}`), {
        status: 202,
        body: { state: 'CANCELLED' },
      })
      t.match(await there.delete(`/operations/${running}`), {
        status: 202,
        body: { state: 'RUNNING', isCancelRequested: true },
      })
    },
  )

  await t.test('POST /operations is refused with 429 while too many of the user wait', async (t) => {
    const user = `busy-${randomUUID().slice(0, 8)}`
    const busy = await ApiClient.as(west, user, 'admin')
    for (let n = 0; n < MAX_PENDING; n += 1) await held(store, user, LONG_MS)
    const refusal = { status: 429, body: { code: 'too-many-pending' } }
    t.match(await busy.post('/operations', EXPORT), refusal)
    t.match(await busy.post('/admin/orders/bulk-status', { where: {}, status: 'READY' }), refusal)
    t.equal((await (await ApiClient.as(west, `${user}-too`)).post('/operations', EXPORT)).status, 202)
  })

  await t.test('a clientId repeats an operation of its own type only', async (t) => {
    const admin = await ApiClient.as(west, `repeats-${randomUUID().slice(0, 8)}`, 'admin')
    const clientId = 'once'
    const { body } = await admin.post('/operations', { ...EXPORT, clientId })
    t.equal((await admin.post('/operations', { ...EXPORT, clientId })).body['id'], body['id'])
    const orderIds = ['of-nobody']
    const bulk = await admin.post('/admin/orders/bulk-status', { orderIds, status: 'READY', clientId })
    t.match(bulk, { status: 202, body: { operationId: /./ } })
    t.not(bulk.body['operationId'], body['id'])
  })

  await t.test('POST /operations of what one may not see is as of what is not there', async (t) => {
    const name = `hidden-${randomUUID().slice(0, 8)}`
    await (await ApiClient.as(west, 'alice')).post('/rooms', { name, visibility: 'private' })
    const mallory = await ApiClient.as(east, 'mallory')
    t.match(await mallory.post('/operations', { type: 'history-export', params: { room: name } }), {
      status: 404,
      body: { code: 'not-found', detail: 'there is no such room' },
    })
  })
}
