import type { Test } from 'tap'
import type { OperationRow } from '../../src/store/operations.ts'
import type { Store } from '../../src/store/store.ts'
import { until } from '../support/until.ts'
import { AT } from './rows.ts'
import type { TestDatabase } from './test-database.ts'

const LONG_MS = 600_000

export function operation(id: string, fields: Partial<OperationRow> = {}): OperationRow {
  return {
    id,
    user: 'alice',
    type: 'history-export',
    params: { room: 'k\u00fcche' },
    state: 'QUEUED',
    done: 0,
    total: null,
    error: null,
    node: null,
    run: null,
    checkpoint: null,
    isCancelRequested: false,
    attempts: 0,
    parts: 0,
    createdAt: AT,
    startedAt: null,
    endedAt: null,
    ...fields,
  }
}

async function insert(store: Store, ...rows: readonly OperationRow[]): Promise<void> {
  await store.transact(async (tx) => {
    for (const row of rows) tx.operations.insert(row)
  })
}

/** Takes the next one as a runner does. */
async function claim(store: Store, run: string, leaseMs = LONG_MS): Promise<string | undefined> {
  return store.transact(async (tx) => {
    const found = await tx.operations.findClaimable()
    if (found === null) return undefined
    tx.operations.save({ ...found, state: 'RUNNING', run, attempts: found.attempts + 1 }, leaseMs)
    return found.id
  })
}

async function end(store: Store, id: string, fields: Partial<OperationRow> = {}): Promise<void> {
  await store.transact(async (tx) => {
    const row = await tx.operations.find(id)
    tx.operations.save({ ...row!, state: 'SUCCEEDED', endedAt: AT, ...fields })
  })
}

export async function operationsContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  const open = async (test: Test) => (await newDatabase(test)).open('node-1')

  await t.test('keeps operations, and lists those of a user, the newest first', async (t) => {
    const store = await open(t)
    const rows = ['1', '2', '3'].map((id) => operation(id))
    const others = [operation('4', { user: 'Alice' })]
    await insert(store, ...rows, ...others)
    const full = operation('1', {
      state: 'FAILED',
      done: 7,
      total: 9,
      error: { code: 'internal' },
      node: 'n',
      run: 'r',
      checkpoint: { after: '\ud83d\ude00' },
      isCancelRequested: true,
      attempts: 2,
      parts: 3,
      startedAt: AT,
      endedAt: AT,
    })
    await store.transact(async (tx) => {
      t.strictSame(await tx.operations.find('1'), rows[0])
      tx.operations.save(full)
      t.strictSame(await tx.operations.find('1'), full, 'own saves included')
    })
    t.strictSame(await store.operations.find('1'), full)
    t.equal(await store.operations.find('nothing'), null)
    const listed = await store.operations.list('alice', { limit: 2 })
    t.strictSame(
      listed.map(({ id }) => id),
      ['3', '2'],
    )
    const { params: _params, checkpoint: _checkpoint, ...summary } = full
    t.strictSame(await store.operations.list('alice', { limit: 2, before: '2' }), [summary])
    t.same(Object.fromEntries(await store.operations.countByState()), { FAILED: 1, QUEUED: 3 })
  })

  await t.test('forgets what a failed part of a transaction made of operations', async (t) => {
    const store = await open(t)
    await insert(store, operation('1'))
    await store.transact(async (tx) => {
      const part = tx.attempt(async () => {
        tx.operations.insert(operation('2'))
        tx.operations.save(operation('1', { done: 1 }))
        tx.operations.addResult('1', 0, 'x')
        throw new Error('no')
      })
      await t.rejects(part, { message: 'no' })
      t.match(await tx.operations.find('1'), { done: 0 })
    })
    t.equal(await store.operations.find('2'), null)
    t.match(await store.operations.find('1'), { done: 0 })
    t.equal(await store.operations.resultPart('1', 0), null)
  })

  await t.test('gives out the oldest that nobody runs, one of a user at a time', async (t) => {
    const store = await open(t)
    t.equal(await store.operations.hasClaimable(), false)
    await insert(store, operation('1'), operation('2'), operation('3', { user: 'bob' }))
    t.equal(await claim(store, 'a'), '1')
    t.equal(await store.operations.hasClaimable(), true)
    t.equal(await claim(store, 'b'), '3')
    t.equal(await store.operations.hasClaimable(), false)
    t.equal(await claim(store, 'c'), undefined)
    await end(store, '1')
    await store.transact(async (tx) => {
      tx.operations.save(operation('2'))
      t.equal(await tx.operations.findClaimable(), null, 'not while it is being saved')
    })
    t.equal(await claim(store, 'd'), '2')
  })

  await t.test('gives out what somebody runs once the lease is over, and not before', async (t) => {
    const store = await open(t)
    await insert(store, operation('1'))
    t.equal(await claim(store, 'a', 1), '1')
    await until(() => store.operations.hasClaimable())
    t.equal(await store.operations.renew('1', 'a', LONG_MS), true)
    t.equal(await claim(store, 'b'), undefined)
    t.equal(await store.operations.renew('1', 'b', 1), false)
    t.equal(await store.operations.renew('1', 'a', -1), true)
    t.equal(await claim(store, 'b'), '1')
    t.equal(await store.operations.renew('1', 'a', 1), false)
    t.match(await store.operations.find('1'), { run: 'b', attempts: 2 })
    await end(store, '1', { state: 'RUNNING', done: 1 })
    t.equal(await store.operations.hasClaimable(), false, 'the lease is as it was')
    await end(store, '1', { run: 'b' })
    t.equal(await store.operations.renew('1', 'b', 1), false, 'it has ended')
  })

  await t.test('counts what of a user has not ended, own ones included', async (t) => {
    const store = await open(t)
    await insert(store, operation('1'), operation('2'), operation('3', { user: 'bob' }), operation('4'))
    await claim(store, 'a')
    await end(store, '4')
    await store.transact(async (tx) => {
      t.equal(await tx.operations.countUnended('alice'), 2)
      tx.operations.insert(operation('5'))
      t.equal(await tx.operations.countUnended('alice'), 3)
      t.equal(await tx.operations.countUnended('carol'), 0)
    })
  })

  await t.test('keeps results in pieces, and removes them with what ended long ago', async (t) => {
    const store = await open(t)
    await insert(store, operation('1'), operation('2'), operation('3'))
    await store.transact(async (tx) => {
      tx.operations.addResult('1', 0, '{"a":"\u00e9\ud83d\ude00"}\n')
      tx.operations.addResult('1', 1, 'x'.repeat(1_000_000))
    })
    t.equal(await store.operations.resultPart('1', 0), '{"a":"\u00e9\ud83d\ude00"}\n')
    t.equal((await store.operations.resultPart('1', 1))?.length, 1_000_000)
    t.equal(await store.operations.resultPart('1', 2), null)
    await end(store, '1', { endedAt: '2030-01-01T00:00:00.000Z' })
    await end(store, '2', { endedAt: '2030-02-01T00:00:00.000Z' })
    t.equal(await store.operations.trim('2030-01-01T00:00:00.000Z', 10), 0)
    t.equal(await store.operations.trim('2031-01-01T00:00:00.000Z', 1), 1)
    t.equal(await store.operations.find('1'), null)
    t.equal(await store.operations.resultPart('1', 1), null)
    t.equal(await store.operations.trim('2031-01-01T00:00:00.000Z', 10), 1)
    t.match(await store.operations.find('3'), { state: 'QUEUED' }, 'it has not ended')
  })
}

export async function sharedOperationsContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  await t.test('gives each operation to one node, and no user two at once', async (t) => {
    const database = await newDatabase(t)
    const [west, east] = [await database.open('west'), await database.open('east')]
    for (let round = 0; round < 10; round++) {
      const user = `user-${round}`
      await insert(west, operation(`${round}-a`, { user }), operation(`${round}-b`, { user }))
      const both = await Promise.all([claim(west, 'w'), claim(east, 'e')])
      t.equal(both.filter((id) => id !== undefined).length, 1, `round ${round}: ${both.join()}`)
      for (const id of both) if (id !== undefined) await end(west, id)
      for (let id = await claim(east, 'e'); id !== undefined; id = await claim(east, 'e')) await end(east, id)
    }
  })

  await t.test('lets nodes count one after the other what a user has', async (t) => {
    const database = await newDatabase(t)
    const stores = [await database.open('west'), await database.open('east')]
    const counts = await Promise.all(
      stores.flatMap((store, side) =>
        Array.from({ length: 5 }, (_, i) =>
          store.transact(async (tx) => {
            const count = await tx.operations.countUnended('alice')
            tx.operations.insert(operation(`${side}-${i}`))
            return count
          }),
        ),
      ),
    )
    t.same(
      counts.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
  })
}
