import type { Test } from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import type { NotificationRow } from '../../src/store/notifications.ts'
import type { Store, StoreTransaction } from '../../src/store/store.ts'
import { AT, event, LATER } from './rows.ts'
import type { TestDatabase } from './test-database.ts'

const STREAM = '/user/bob/queue/notifications'

function row(id: string, fields: Partial<NotificationRow> = {}): NotificationRow {
  const texts = { title: 't', message: 'm', type: 'INFO', data: null }
  return { id, userId: 'bob', ...texts, createdAt: AT, readAt: null, archivedAt: null, ...fields }
}

async function insert(store: Store, ...rows: readonly NotificationRow[]): Promise<void> {
  await store.transact(async (tx) => {
    for (const each of rows) tx.notifications.insert(each)
  })
}

/** As ids, a letter for each mark: newest first. */
async function stateOf(store: Store, user = 'bob'): Promise<readonly string[]> {
  const rows = await store.notifications.list(user, { limit: 100 })
  const mark = (time: string | null, letter: string): string => (time === null ? '' : letter)
  return rows.map(({ id, readAt, archivedAt }) => `${id}${mark(readAt, 'r')}${mark(archivedAt, 'a')}`)
}

/** What users do with their notifications. */
export async function notificationsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('lists and counts notifications by what is asked for, newest first', async (t) => {
    const store = await open(t)
    const [unread, read] = [row('n1'), row('n2', { readAt: LATER, type: 'ORDER' })]
    const [archived, both] = [row('n3', { archivedAt: AT }), row('n4', { readAt: AT, archivedAt: AT })]
    await insert(store, unread, read, archived, both, row('of-alice', { userId: 'alice' }))
    const all = { limit: 9 }
    t.strictSame(await store.notifications.list('bob', all), [both, archived, read, unread])
    t.strictSame(await store.notifications.list('bob', { limit: 1, before: 'n3' }), [read])
    t.strictSame(await store.notifications.list('bob', { ...all, isRead: false }), [archived, unread])
    t.strictSame(await store.notifications.list('bob', { ...all, isRead: true }), [both, read])
    t.strictSame(await store.notifications.list('bob', { ...all, isArchived: false }), [read, unread])
    t.strictSame(await store.notifications.list('bob', { ...all, isArchived: true, isRead: true }), [both])
    t.strictSame(await store.notifications.list('bob', { ...all, type: 'ORDER' }), [read])
    t.strictSame(await store.notifications.list('bob', { ...all, type: 'order' }), [])
    t.equal(await store.notifications.count('bob', {}), 4)
    t.equal(await store.notifications.count('bob', { isRead: false, isArchived: false }), 1)
    t.equal(await store.notifications.count('eve', {}), 0)
    const refused = store.notifications.list('bob', { ...all, type: 'a\0' })
    await t.rejects(refused, { code: 'invalid-payload' })
  })

  await t.test('changes, removes and reads all notifications of one user, and no others', async (t) => {
    const store = await open(t)
    await insert(store, row('n1'), row('n2'), row('n3', { readAt: AT }), row('of-alice', { userId: 'alice' }))
    await store.transact(async ({ notifications }) => {
      notifications.change('bob', 'n1', { archivedAt: AT })
      notifications.change('bob', 'n3', { readAt: null })
      notifications.change('bob', 'n2', {})
      notifications.change('bob', 'of-alice', { readAt: AT })
      notifications.remove('bob', 'of-alice')
      notifications.remove('bob', 'none')
    })
    t.strictSame(await stateOf(store), ['n3', 'n2', 'n1a'])
    await store.transact(async (tx) => tx.notifications.change('bob', 'n2', { readAt: AT }))
    await store.transact(async (tx) => tx.notifications.readAll('bob', LATER))
    t.strictSame(await stateOf(store), ['n3r', 'n2r', 'n1ra'])
    const times = (await store.notifications.list('bob', { limit: 9 })).map(({ readAt }) => readAt)
    t.strictSame(times, [LATER, AT, LATER], 'what was read keeps its time')
    await store.transact(async (tx) => tx.notifications.remove('bob', 'n3'))
    t.strictSame(await stateOf(store), ['n2r', 'n1ra'])
    await store.transact(async (tx) => tx.notifications.removeAll('bob'))
    t.strictSame(await stateOf(store), [])
    t.strictSame(await stateOf(store, 'alice'), ['of-alice'])
  })

  await t.test('does what a transaction does to notifications in the order of calls', async (t) => {
    const store = await open(t)
    await insert(store, row('n1'))
    await store.transact(async (tx) => {
      const { notifications } = tx
      const seen = async (id: string, user = 'bob') => {
        const found = await notifications.find(user, id)
        return found && [found.readAt, found.archivedAt]
      }
      t.strictSame(await seen('n1'), [null, null])
      t.equal(await seen('n1', 'alice'), null)
      notifications.insert(row('n2'))
      notifications.change('bob', 'n2', { archivedAt: AT })
      t.strictSame(await seen('n2'), [null, AT])
      notifications.readAll('bob', AT)
      notifications.change('bob', 'n1', { readAt: null })
      notifications.insert(row('n3'))
      notifications.insert(row('n4'))
      t.strictSame(
        [await seen('n1'), await seen('n2'), await seen('n3')],
        [
          [null, null],
          [AT, AT],
          [null, null],
        ],
      )
      notifications.remove('bob', 'n4')
      t.equal(await seen('n4'), null)
      await tx.appendEvents([event(STREAM)])
    })
    t.strictSame(await stateOf(store), ['n3', 'n2ra', 'n1'])
    await store.transact(async ({ notifications }) => {
      notifications.insert(row('n5'))
      notifications.removeAll('bob')
      t.equal(await notifications.find('bob', 'n5'), null)
      notifications.insert(row('n6'))
    })
    t.strictSame(await stateOf(store), ['n6'])
  })

  await t.test('drops the changes of notifications that a failed part staged', async (t) => {
    const store = await open(t)
    await insert(store, row('n1'))
    await store.transact(async (tx) => {
      tx.notifications.change('bob', 'n1', { archivedAt: AT })
      const failing = tx.attempt(async () => {
        tx.notifications.removeAll('bob')
        throw new RangeError('no')
      })
      await t.rejects(failing, RangeError)
      await tx.appendEvents([event(STREAM)])
    })
    t.strictSame(await stateOf(store), ['n1a'])
  })

  await t.test('remembers which types a user has muted', async (t) => {
    const store = await open(t)
    t.strictSame(await store.notifications.muted('bob'), [])
    const types = ['ORDER', 'a "quoted" \u{1f600}']
    await store.transact(async ({ notifications }) => {
      t.strictSame(await notifications.muted(['bob', 'alice', 'bob']), mutes([], []))
      notifications.mute('bob', ['INFO'])
      t.strictSame(await notifications.muted(['bob', 'alice']), mutes(['INFO'], []))
      notifications.mute('bob', types)
    })
    t.strictSame(await store.notifications.muted('bob'), types)
    await store.transact(async ({ notifications }) => {
      t.strictSame(await notifications.muted(['bob']), new Map([['bob', types]]))
      notifications.mute('bob', [])
      notifications.mute('alice', ['INFO'])
    })
    t.strictSame(await store.notifications.muted('bob'), [])
    t.strictSame(await store.notifications.muted('alice'), ['INFO'])
  })
}

function mutes(bob: readonly string[], alice: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ['bob', bob],
    ['alice', alice],
  ])
}

/** What several nodes do at once. */
export async function sharedNotificationsContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  await t.test(
    'changes notifications in the order in which nodes lock the stream that tells it',
    async (t) => {
      const database = await newDatabase(t)
      const [a, b] = [await database.open('a'), await database.open('b')]
      await insert(a, row('n1'))
      const [hasLocked, mayCommit] = [deferred(), deferred()]
      const first = a.transact(async (tx) => {
        tx.notifications.insert(row('n2'))
        await tx.appendEvents([event(STREAM, '1')])
        hasLocked.resolve()
        await mayCommit.promise
      })
      await hasLocked.promise
      const second = b.transact(async (tx) => {
        tx.notifications.readAll('bob', AT)
        await tx.appendEvents([event(STREAM, '2')])
      })
      mayCommit.resolve()
      await Promise.all([first, second])
      t.strictSame(await stateOf(a), ['n2r', 'n1r'], 'what is told before is read')
    },
  )

  await t.test('arrives at the rows that the order of the stream says, whoever changes them', async (t) => {
    const database = await newDatabase(t)
    const stores = [await database.open('a'), await database.open('b')]
    const told = async (store: Store, body: string, act: (tx: StoreTransaction) => void): Promise<void> => {
      await store.transact(async (tx) => {
        act(tx)
        await tx.appendEvents([event(STREAM, body)])
      })
    }
    const work = stores.map(async (store, i) => {
      for (let round = 0; round < 30; round += 1) {
        const id = `n${round}-${i}`
        await told(store, `+${id}`, (tx) => tx.notifications.insert(row(id)))
        if (round % 3 === 1) await told(store, 'read', (tx) => tx.notifications.readAll('bob', AT))
        if (round % 10 === 7) await told(store, 'clear', (tx) => tx.notifications.removeAll('bob'))
        const other = `n${round}-${1 - i}`
        await told(store, `-${other}`, (tx) => tx.notifications.remove('bob', other))
      }
    })
    await Promise.all(work)
    const states = new Map<string, string>()
    for (const { body } of await stores[0]!.log.read(STREAM, 0, 1000)) {
      if (body === 'read') for (const id of states.keys()) states.set(id, `${id}r`)
      else if (body === 'clear') states.clear()
      else if (body.startsWith('-')) states.delete(body.slice(1))
      else states.set(body.slice(1), body.slice(1))
    }
    t.strictSame((await stateOf(stores[1]!)).toSorted(), [...states.values()].toSorted())
  })
}
