import type { Test } from 'tap'
import { MessageError } from '../../src/errors.ts'
import type { MessageRow, NewEventRow, NotificationRow, OrderRow, Store } from '../../src/store/store.ts'

const AT = '2030-01-31T09:30:00.000Z'

export function message(id: string, fields: Partial<MessageRow> = {}): MessageRow {
  return {
    id,
    room: null,
    sender: 'alice',
    receiver: null,
    content: 'hello',
    clientId: null,
    replyTo: null,
    status: 'SENT',
    createdAt: AT,
    ...fields,
  }
}

export function order(orderId: string, fields: Partial<OrderRow> = {}): OrderRow {
  return {
    orderId,
    userId: 'bob',
    status: 'PLACED',
    items: [{ sku: 'a', count: 2 }],
    note: null,
    version: 1,
    updatedAt: AT,
    createdAt: AT,
    ...fields,
  }
}

export function event(stream: string, body = '{}'): NewEventRow {
  const address = { kind: 'topic', topic: stream }
  return { stream, address, headers: ['content-type', 'application/json'], body, createdAt: AT }
}

function notificationRow(data: unknown): NotificationRow {
  return {
    id: 'n1',
    userId: 'bob',
    title: 't',
    message: 'm',
    type: 'ORDER',
    data,
    createdAt: AT,
    readAt: null,
    archivedAt: AT,
  }
}

/** The port's suite: run by every dialect. `open` answers a store on an empty database; it tears down itself. */
export async function storeContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await entities(t, open)
  await transactions(t, open)
  await streams(t, open)
  await identities(t, open)
}

async function entities(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('gives back messages as they were, newest first, a page at a time', async (t) => {
    const store = await open(t)
    const content = 'line\n"quoted" \u{1f600} ünïcode ? \\'
    const first = message('m1', { content, clientId: 'c', replyTo: 'm0' })
    await store.transact((tx) => {
      tx.messages.insert(first)
      tx.messages.insert(message('m2'))
      tx.messages.insert(message('m3'))
      tx.messages.insert(message('r1', { room: 'tea' }))
      tx.messages.insert(message('p1', { sender: 'bob', receiver: 'alice' }))
      tx.messages.insert(message('p2', { sender: 'alice', receiver: 'bob' }))
      return Promise.resolve()
    })
    t.strictSame(await store.messages.find('m1'), first)
    t.equal(await store.messages.find('none'), null)
    const ids = async (...args: Parameters<Store['messages']['list']>) =>
      (await store.messages.list(...args)).map((row) => row.id)
    t.strictSame(await ids({ kind: 'public' }, { limit: 2 }), ['m3', 'm2'])
    t.strictSame(await ids({ kind: 'public' }, { limit: 2, before: 'm2' }), ['m1'])
    t.strictSame(await ids({ kind: 'room', room: 'tea' }, { limit: 9 }), ['r1'])
    t.strictSame(await ids({ kind: 'private', users: ['alice', 'bob'] }, { limit: 9 }), ['p2', 'p1'])
    t.strictSame(await ids({ kind: 'private', users: ['bob', 'alice'] }, { limit: 9 }), ['p2', 'p1'])
    t.strictSame(await ids({ kind: 'private', users: ['bob', 'eve'] }, { limit: 9 }), [])
  })

  await t.test('gives back broadcasts, notifications and dead letters as they were', async (t) => {
    const store = await open(t)
    const broadcast = { id: 'b1', title: 't', message: 'm', type: 'INFO', createdAt: AT }
    const data = { nested: [1, 'two', null, true] }
    const notification = notificationRow(data)
    const letter = {
      id: 'd1',
      queue: 'user',
      reason: 'not JSON',
      headers: ['a', '1', 'a', '2'],
      body: new Uint8Array([0, 255, 10]),
      createdAt: AT,
    }
    await store.transact((tx) => {
      tx.broadcasts.insert(broadcast)
      tx.notifications.insert(notification)
      tx.deadLetters.insert(letter)
      tx.deadLetters.insert({ ...letter, id: 'd2', body: new Uint8Array(0) })
      return Promise.resolve()
    })
    t.strictSame(await store.broadcasts.find('b1'), broadcast)
    t.equal(await store.broadcasts.find('none'), null)
    t.strictSame(await store.broadcasts.list({ limit: 5 }), [broadcast])
    t.strictSame(await store.broadcasts.list({ limit: 5, before: 'b1' }), [])
    t.strictSame(await store.notifications.list('bob', { limit: 5 }), [notification])
    t.strictSame(await store.notifications.list('bob', { limit: 5, before: 'n1' }), [])
    t.strictSame(await store.notifications.list('alice', { limit: 5 }), [])
    t.strictSame(await store.deadLetters.find('d1'), letter)
    t.equal(await store.deadLetters.find('none'), null)
    t.strictSame((await store.deadLetters.find('d2'))?.body, new Uint8Array(0))
    t.strictSame(
      (await store.deadLetters.list({ limit: 5, before: 'd2' })).map((row) => row.id),
      ['d1'],
    )
    t.strictSame(
      (await store.deadLetters.list({ limit: 1 })).map((row) => row.id),
      ['d2'],
    )
  })

  await t.test('keeps the latest state of an order, when it began, and every state as history', async (t) => {
    const store = await open(t)
    const later = '2030-02-01T00:00:00.000Z'
    const second = order('o1', {
      status: 'SHIPPED',
      items: null,
      note: 'soon',
      version: null,
      updatedAt: later,
    })
    const seen: unknown[] = []
    await store.transact(async (tx) => {
      seen.push(await tx.orders.find('o1'))
      tx.orders.save(order('o1'))
      seen.push(await tx.orders.find('o1'))
      tx.orders.save(second)
    })
    await store.transact(async (tx) => {
      seen.push(await tx.orders.find('o1'))
      tx.orders.save(order('o2'))
    })
    t.strictSame(seen, [null, order('o1'), second])
    t.strictSame(await store.orders.find('o1'), second)
    t.equal(await store.orders.find('none'), null)
    t.strictSame(await store.orders.history('o1', 5), [order('o1'), second])
    t.strictSame(await store.orders.history('o1', 1), [second], 'the newest ones')
    t.strictSame(
      (await store.orders.list('bob', { limit: 5 })).map((row) => row.orderId),
      ['o2', 'o1'],
    )
    t.strictSame(
      (await store.orders.list('bob', { limit: 5, before: 'o2' })).map((row) => row.orderId),
      ['o1'],
    )
    t.strictSame(await store.orders.list('alice', { limit: 5 }), [])
  })
}

async function transactions(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('stores nothing when the work rejects, and passes its error on', async (t) => {
    const store = await open(t)
    const work = store.transact(async (tx) => {
      tx.messages.insert(message('m1'))
      tx.orders.save(order('o1'))
      await tx.appendEvents([event('/topic/a')])
      throw new RangeError('no')
    })
    await t.rejects(work, RangeError)
    t.equal(await store.messages.find('m1'), null)
    t.equal(await store.orders.find('o1'), null)
    t.equal(await store.log.head('/topic/a'), 0)
    t.strictSame(await store.outbox.pending(0, 10), [])
  })

  await t.test('stores nothing when one row is refused by the database', async (t) => {
    const store = await open(t)
    await store.transact((tx) => Promise.resolve(tx.messages.insert(message('m1'))))
    const work = store.transact(async (tx) => {
      tx.messages.insert(message('m2'))
      tx.messages.insert(message('m1'))
      await tx.appendEvents([event('/topic/a')])
    })
    const error = await work.catch((reason: unknown) => reason)
    t.match(error, { code: 'store-unavailable' })
    t.ok(error instanceof MessageError && error.cause instanceof Error, 'the cause is kept')
    t.equal(await store.messages.find('m2'), null)
    t.equal(await store.log.head('/topic/a'), 0)
  })

  await t.test('drops what a failed part staged, and goes on', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      t.equal(await tx.attempt(() => Promise.resolve(tx.messages.insert(message('m1'))).then(() => 7)), 7)
      const failing = tx.attempt(() => {
        tx.messages.insert(message('m2'))
        tx.orders.save(order('o1'))
        tx.broadcasts.insert({ id: 'b', title: '', message: '', type: '', createdAt: AT })
        return Promise.reject(new RangeError('no'))
      })
      await t.rejects(failing, RangeError)
      t.equal(await tx.orders.find('o1'), null)
      tx.messages.insert(message('m3'))
    })
    const rows = await store.messages.list({ kind: 'public' }, { limit: 5 })
    t.strictSame(
      rows.map((row) => row.id),
      ['m3', 'm1'],
    )
    t.strictSame(await store.broadcasts.list({ limit: 5 }), [])
    t.strictSame(await store.orders.history('o1', 5), [])
  })

  await t.test('refuses texts that databases disagree about, at once', async (t) => {
    const store = await open(t)
    await store.transact((tx) => {
      for (const content of ['a\0b', 'half \ud800', '\udc00 half']) {
        t.throws(() => tx.messages.insert(message('m', { content })), { code: 'invalid-payload' })
      }
      t.throws(() => tx.orders.save(order('o', { items: 1n })), { code: 'invalid-payload' })
      t.throws(() => tx.orders.save(order('o', { items: undefined })), { code: 'invalid-payload' })
      return Promise.resolve()
    })
    t.equal(await store.messages.find('m'), null)
  })

  await t.test('runs transactions one after the other, in the order of calls', async (t) => {
    const store = await open(t)
    const steps: string[] = []
    const run = (name: string) =>
      store.transact(async (tx) => {
        steps.push(`${name} begins`)
        await tx.orders.find('o')
        tx.orders.save(order('o', { status: name }))
        steps.push(`${name} ends`)
      })
    await Promise.all(['a', 'b', 'c'].map(run))
    t.strictSame(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    t.equal((await store.orders.find('o'))?.status, 'c')
  })

  await t.test('lets reads see what is committed while a transaction runs', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      tx.messages.insert(message('m1'))
      await tx.appendEvents([event('/topic/a')])
      t.equal(await store.messages.find('m1'), null)
      t.equal(await store.log.head('/topic/a'), 0)
    })
    t.equal(await store.log.head('/topic/a'), 1)
  })

  await t.test('refuses a transaction object whose transaction is over', async (t) => {
    const store = await open(t)
    const tx = await store.transact((inner) => Promise.resolve([inner] as const))
    t.throws(() => tx[0].messages.insert(message('m')), { code: 'internal' })
    await t.rejects(async () => tx[0].appendEvents([event('/topic/a')]), { code: 'internal' })
    await t.rejects(tx[0].orders.find('o'), { code: 'internal' })
  })

  await t.test('refuses transactions beyond the bound, and runs those within', async (t) => {
    const store = await open(t)
    const calls = Array.from({ length: 1001 }, () => store.transact(() => Promise.resolve('done')))
    const results = await Promise.allSettled(calls)
    t.equal(results.filter((result) => result.status === 'fulfilled').length, 1000)
    t.match(results.at(-1), { status: 'rejected', reason: { code: 'too-many-pending' } })
    t.equal(await store.transact(() => Promise.resolve('again')), 'again')
  })

  await t.test('waits with closing for the transaction under way, then refuses everything', async (t) => {
    const store = await open(t)
    await store.ping()
    const work = store.transact((tx) => Promise.resolve(tx.messages.insert(message('m1'))))
    await Promise.all([store.close(), store.close()])
    await work
    const refusal = { code: 'store-unavailable' }
    await t.rejects(
      store.transact(() => Promise.resolve()),
      refusal,
    )
    await t.rejects(store.messages.find('m1'), refusal)
    await t.rejects(store.settings.find('k'), refusal)
    await t.rejects(store.outbox.remove([1]), refusal)
    await t.rejects(store.ping(), refusal)
  })
}

async function streams(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('numbers the events of each stream 1, 2, 3 in the order of the array', async (t) => {
    const store = await open(t)
    const appended = await store.transact((tx) =>
      tx.appendEvents([event('/topic/b', '1'), event('/topic/a', '2'), event('/topic/b', '3')]),
    )
    t.match(appended, [
      { stream: '/topic/b', offset: 1 },
      { stream: '/topic/a', offset: 1 },
      { stream: '/topic/b', offset: 2 },
    ])
    const seqs = appended.map((row) => row.seq)
    t.strictSame(
      seqs,
      seqs.toSorted((a, b) => a - b),
    )
    const next = await store.transact((tx) => tx.appendEvents([event('/topic/b', '4')]))
    t.match(next, [{ stream: '/topic/b', offset: 3 }])
    t.ok((next[0]?.seq ?? 0) > (seqs.at(-1) ?? 0), 'numbers of the outbox grow')
    t.strictSame(await store.transact((tx) => tx.appendEvents([])), [])
    t.equal(await store.log.head('/topic/b'), 3)
    const heads = await store.log.heads(['/topic/a', '/topic/b', '/topic/none'])
    t.strictSame(
      [...heads],
      [
        ['/topic/a', 1],
        ['/topic/b', 3],
        ['/topic/none', 0],
      ],
    )
    t.strictSame((await store.log.heads([])).size, 0)
  })

  await t.test('reads a stream from an offset on, in order, within the limit', async (t) => {
    const store = await open(t)
    await store.transact((tx) => tx.appendEvents(['1', '2', '3', '4'].map((body) => event('/topic/a', body))))
    const headers = ['content-type', 'application/json']
    t.strictSame(await store.log.read('/topic/a', 1, 2), [
      { offset: 2, headers, body: '2', createdAt: AT },
      { offset: 3, headers, body: '3', createdAt: AT },
    ])
    t.strictSame(await store.log.read('/topic/a', 4, 2), [])
    t.strictSame(await store.log.read('/topic/none', 0, 2), [])
  })

  await t.test('leaves no gap where a transaction failed', async (t) => {
    const store = await open(t)
    await store.transact((tx) => tx.appendEvents([event('/topic/a')]))
    const failing = store.transact(async (tx) => {
      await tx.appendEvents([event('/topic/a')])
      throw new RangeError('no')
    })
    await t.rejects(failing, RangeError)
    t.match(await store.transact((tx) => tx.appendEvents([event('/topic/a')])), [{ offset: 2 }])
  })

  await t.test('stores more rows than one statement can bear, in order', async (t) => {
    const store = await open(t)
    const events = Array.from({ length: 20_000 }, (_, i) => event(`/topic/${i % 7000}`, String(i)))
    const appended = await store.transact((tx) => tx.appendEvents(events))
    t.equal(appended.length, events.length)
    t.equal(new Set(appended.map((row) => row.seq)).size, events.length)
    t.match(appended.at(-1), { stream: `/topic/${19_999 % 7000}`, offset: 3 })
    const page = await store.outbox.pending(0, 20_000)
    t.strictSame(
      page.map((row) => row.body),
      events.map((row) => row.body),
    )
    await store.outbox.remove(page.map((row) => row.seq))
    t.strictSame(await store.outbox.pending(0, 1), [])
  })

  await t.test('keeps outbox rows until they are removed, page by page', async (t) => {
    const store = await open(t)
    const events = ['1', '2', '3'].map((body) => event('/topic/a', body))
    const appended = await store.transact((tx) => tx.appendEvents(events))
    const [first, second, third] = await store.outbox.pending(0, 10)
    t.strictSame(first, {
      ...appended[0],
      address: events[0]?.address,
      headers: events[0]?.headers,
      body: '1',
    })
    t.strictSame(await store.outbox.pending(first?.seq ?? 0, 1), [second])
    await store.outbox.remove([first?.seq ?? 0, second?.seq ?? 0, 999_999])
    t.strictSame(await store.outbox.pending(0, 10), [third])
    t.equal((await store.log.read('/topic/a', 0, 10)).length, 3, 'the log keeps its events')
  })
}

async function identities(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('creates an account once, and tells names apart by case', async (t) => {
    const store = await open(t)
    const account = { name: 'root', passwordHash: 'x', roles: ['admin', 'user'], createdAt: AT }
    await store.accounts.create(account)
    await t.rejects(store.accounts.create({ ...account, passwordHash: 'y' }), { code: 'conflict' })
    await store.accounts.create({ ...account, name: 'Root' })
    t.strictSame(await store.accounts.find('root'), account)
    t.equal(await store.accounts.find('ROOT'), null)
  })

  await t.test('makes a setting once, whoever asks at the same time', async (t) => {
    const store = await open(t)
    t.equal(await store.settings.find('k'), null)
    const values = await Promise.all(
      ['a', 'b', 'c'].map((value) => store.settings.getOrCreate('k', () => value)),
    )
    t.equal(new Set(values).size, 1)
    t.equal(await store.settings.getOrCreate('k', () => 'd'), values[0])
    t.equal(await store.settings.find('k'), values[0])
    t.match(store.epoch, /^[A-Za-z0-9_-]{6,12}$/)
  })
}
