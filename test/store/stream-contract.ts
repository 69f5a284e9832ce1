import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { AT, event } from './rows.ts'

export async function streamsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
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
