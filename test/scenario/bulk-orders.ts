import { isDeepStrictEqual } from 'node:util'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { OrderRow } from '../../src/store/orders.ts'
import type { Store } from '../../src/store/store.ts'
import { ApiClient } from '../support/api-client.ts'
import { startProcess, type RelayProcess } from '../support/child-process.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { Device } from './device.ts'
import { logOf } from './views.ts'

const OWNERS = 100
const OWN_QUEUE = '/user/queue/operations'
const ENDS: ReadonlySet<unknown> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED'])
const ROWS_A_TRANSACTION = 2000

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface BulkOptions {
  readonly orders: number
  readonly urls: Readonly<Record<'DATABASE_URL' | 'RABBITMQ_STOMP_URL' | 'RABBITMQ_AMQP_URL', string>>
  readonly say: (line: string) => void
}

export interface BulkReport {
  readonly seconds: number
  /** How often the administrator was told how far it is. */
  readonly told: number
  /** How far it was when its node was killed. */
  readonly doneAtKill: number
  readonly faults: readonly string[]
}

interface Progress {
  readonly state: string
  readonly done: number
  readonly total?: number
}

/**
 * Lets two nodes change many orders in one operation, and kills the one that does it in the middle: each order changes
 * once, is told of once and notified once, and the progress never falls.
 */
export async function runBulkOrders(t: Teardown, { orders, urls, say }: BulkOptions): Promise<BulkReport> {
  const env = { ...urls, AUTH_JWT_SECRET: TEST_SECRET }
  const start = (name: string): Promise<RelayProcess> => startProcess(t, { ...env, NODE_ID: name })
  const [west, east] = await Promise.all([start('west'), start('east')])
  let nodes: readonly RelayProcess[] = [west, east]
  const store = await openStore({ url: urls.DATABASE_URL, nodeId: 'onlooker', lock: false })
  t.teardown(() => store.close())
  await fill(store, orders)
  say(`${orders} orders are there`)

  const token = await testToken('root', 'user', 'admin')
  const watching = new Device(t, { token, destinations: [OWN_QUEUE], nodes: () => nodes })
  await watching.start()
  const startedAtMs = performance.now()
  const admin = ApiClient.with(west, token)
  const post = { where: { status: 'PLACED' }, status: 'PREPARED' }
  const id = String((await admin.post('/admin/orders/bulk-status', post)).body['operationId'])
  await watching.hears(OWN_QUEUE, ({ done }) => Number(done) >= orders / 2)
  const row = await store.operations.find(id)
  const [victim, survivor] = row?.node === 'west' ? [west, east] : [east, west]
  nodes = [survivor]
  await victim.kill()
  say(`${row?.node} had done ${row?.done} and was killed`)
  await watching.hears(OWN_QUEUE, ({ state }) => ENDS.has(state))
  const seconds = (performance.now() - startedAtMs) / 1000
  const log = await logOf(store, `/user/root/queue/operations`)
  const seen = await watching.upTo(OWN_QUEUE, log.length)
  const faults = [
    ...(isDeepStrictEqual(seen, log) ? [] : ['the administrator was told something else than is stored']),
    ...progressFaults(
      seen.map(({ body }) => JSON.parse(body) as Progress),
      orders,
    ),
    ...(await storeFaults(store, orders)),
  ]
  await watching.stop()
  return { seconds, told: log.length, doneAtKill: row?.done ?? -1, faults }
}

async function fill(store: Store, orders: number): Promise<void> {
  const at = new Date().toISOString()
  for (let from = 0; from < orders; from += ROWS_A_TRANSACTION) {
    await store.transact(async (tx) => {
      for (let i = from; i < Math.min(orders, from + ROWS_A_TRANSACTION); i += 1)
        tx.orders.save(orderRow(i, at))
    })
  }
}

function orderRow(i: number, at: string): OrderRow {
  const [orderId, userId] = [`bulk-${String(i).padStart(7, '0')}`, `owner-${i % OWNERS}`]
  const rest = { status: 'PLACED', items: null, note: null, version: 1, updatedAt: at, createdAt: at }
  return { orderId, userId, changedBy: null, ...rest }
}

function progressFaults(progress: readonly Progress[], orders: number): string[] {
  const last = progress.at(-1)
  const falls = progress.filter(({ done }, i) => done < (progress[i - 1]?.done ?? 0)).length
  const beyond = progress.filter(({ done, total = Infinity }) => done > total).length
  return [
    ...(last?.state === 'SUCCEEDED' ? [] : [`it ended as ${last?.state}`]),
    ...(last?.done === orders && last.total === orders ? [] : [`it says ${last?.done} of ${last?.total}`]),
    ...(falls === 0 ? [] : [`done fell ${falls} times`]),
    ...(beyond === 0 ? [] : [`done was beyond total ${beyond} times`]),
  ]
}

async function storeFaults(store: Store, orders: number): Promise<string[]> {
  const faults: string[] = []
  const expect = (what: string, found: number, wanted: number): void => {
    if (found !== wanted) faults.push(`${what}: ${found}, not ${wanted}`)
  }
  expect('orders PREPARED', await store.orders.count({ status: 'PREPARED' }), orders)
  expect('events of all orders', await store.log.head('/topic/orders'), orders)
  let [notified, told] = [0, 0]
  for (let i = 0; i < OWNERS; i += 1) {
    notified += await store.notifications.count(`owner-${i}`, {})
    told += await store.log.head(`/user/owner-${i}/queue/orders`)
  }
  expect('notifications', notified, orders)
  expect('events of owners', told, orders)
  return faults
}
