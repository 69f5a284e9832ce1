import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import { message } from '../store/rows.ts'
import { idOf, openTestStore, say, startRig } from './rig.ts'

await t.test('stores what a write says, answers the event ids, and relays it', async (t) => {
  const { store, line, outbox, appender } = await startRig(t, {
    appender: { now: () => new Date('2030-01-31T09:30:00Z') },
  })
  await outbox.start()
  const { result, eventIds } = await appender.append((tx) => {
    tx.messages.insert(message('m1'))
    const events = [
      { stream: '/topic/a', address: { kind: 'topic', topic: 'a' } as const, payload: { id: 'm1' } },
      {
        stream: '/user/bob/queue/messages',
        address: { kind: 'user', user: 'bob', destination: '/queue/messages' } as const,
        payload: 'hi',
      },
    ]
    return Promise.resolve({ events, result: 42 })
  })
  t.equal(result, 42)
  t.strictSame(eventIds, [idOf(store, '/topic/a', 1), idOf(store, '/user/bob/queue/messages', 1)])
  t.match(await store.messages.find('m1'), { content: 'hello' })
  const headers = ['content-type', 'application/json']
  t.strictSame(await store.log.read('/topic/a', 0, 5), [
    { offset: 1, headers, body: '{"id":"m1"}', createdAt: '2030-01-31T09:30:00.000Z' },
  ])
  await line.until(2)
  t.match(line.received, [
    { address: { kind: 'topic', topic: 'a' }, eventId: eventIds[0], headers },
    { address: { kind: 'user', user: 'bob', destination: '/queue/messages' }, eventId: eventIds[1] },
  ])
  t.strictSame(line.bodies, ['{"id":"m1"}', '"hi"'])
})

const silent = () => Promise.resolve({ events: [], result: 'quiet' })

await t.test('puts the calls of one turn into few transactions, in the order of calls', async (t) => {
  const { store } = await openTestStore(t)
  let transactions = 0
  const counting = {
    epoch: store.epoch,
    transact: ((work) => {
      transactions += 1
      return store.transact(work)
    }) as typeof store.transact,
  }
  const pushed: unknown[] = []
  const appender = new StreamAppender({
    store: counting,
    relay: { push: (rows) => pushed.push(...rows.map((row) => row.body)), recheck: () => undefined },
    maxBatch: 40,
  })
  const numbers = Array.from({ length: 100 }, (_, i) => i)
  const answers = await Promise.all(numbers.map((n) => appender.append(say('a', n))))
  t.equal(transactions, 3)
  t.strictSame(
    answers.map(({ eventIds }) => eventIds[0]),
    numbers.map((n) => idOf(store, '/topic/a', n + 1)),
  )
  t.strictSame(pushed, numbers.map(String), 'handed over in commit order')
})

await t.test('fails a write that rejects, alone, and drops what it staged', async (t) => {
  const { store, appender } = await startRig(t)
  const before = appender.append(say('a', 1))
  const failing = appender.append((tx) => {
    tx.messages.insert(message('m1'))
    return Promise.reject(new MessageError('conflict', 'no'))
  })
  const throwing = appender.append(() => {
    throw new RangeError('no')
  })
  // eslint-disable-next-line promise/prefer-await-to-callbacks, typescript/prefer-promise-reject-errors
  const odd = appender.append(() => Promise.reject('text'))
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const endless = appender.append(say('a', circular))
  const nothing = appender.append(say('a', undefined))
  const after = appender.append(say('a', 2))
  await t.rejects(failing, { code: 'conflict' })
  await t.rejects(throwing, RangeError)
  await t.rejects(odd, { code: 'internal' })
  await t.rejects(endless, { code: 'invalid-payload' })
  await t.rejects(nothing, { code: 'invalid-payload' })
  t.match(await before, { result: 'said on a' })
  t.match(await after, { eventIds: [idOf(store, '/topic/a', 2)] })
  t.equal(await store.messages.find('m1'), null)
})

await t.test('answers writes without events, alone and among others', async (t) => {
  const { store, appender } = await startRig(t)
  t.strictSame(await appender.append(silent), { result: 'quiet', eventIds: [], isRepeat: false })
  const [first, second, third] = await Promise.all([
    appender.append(say('a', 1)),
    appender.append(silent),
    appender.append(say('b', 2)),
  ])
  t.strictSame(
    [first?.eventIds, second?.eventIds, third?.eventIds],
    [[idOf(store, '/topic/a', 1)], [], [idOf(store, '/topic/b', 1)]],
  )
})

await t.test('fails the whole batch when the commit fails, relays none of it, and goes on', async (t) => {
  const { store, hand, line, warnings, outbox, appender } = await startRig(t)
  await outbox.start()
  hand.exec("create trigger broken before insert on outbox begin select raise(abort, 'disk on fire'); end")
  const failed = await Promise.allSettled([appender.append(say('a', 1)), appender.append(say('b', 2))])
  for (const outcome of failed) {
    t.match(outcome, { status: 'rejected', reason: { code: 'store-unavailable' } })
    const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined
    t.ok(reason instanceof MessageError && reason.cause instanceof Error, 'the cause is kept')
  }
  t.equal(warnings.errors.length, 1, 'logged once for the batch')
  t.match(warnings.errors, [{ event: 'commit-failed', err: { cause: { message: /disk on fire/ } } }])
  hand.exec('drop trigger broken')
  t.match(await appender.append(say('a', 3)), { eventIds: [idOf(store, '/topic/a', 1)] })
  await line.until(1)
  t.strictSame(line.bodies, ['3'])
})

await t.test(
  'calls it internal, and no fault of the database, when the batch fails for another reason',
  async (t) => {
    const { store } = await openTestStore(t)
    const errors: { event?: string; err?: unknown }[] = []
    const appender = new StreamAppender({
      store: { epoch: store.epoch, transact: () => Promise.reject(new TypeError('a bug')) },
      relay: { push: () => t.fail('nothing was stored'), recheck: () => undefined },
      log: { error: (detail: object) => void errors.push(detail) },
    })
    const failed = await Promise.allSettled([appender.append(say('a', 1)), appender.append(say('a', 2))])
    for (const outcome of failed) t.match(outcome, { reason: { code: 'internal', cause: TypeError } })
    t.match(errors, [{ event: 'commit-failed', err: { cause: { message: 'a bug' } } }])
  },
)

await t.test('refuses writes beyond the bound of waiting ones, and stores those within', async (t) => {
  const { store, appender } = await startRig(t, { appender: { maxWaiting: 5 } })
  const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((n) => appender.append(say('a', n))))
  t.match(results.at(-1), { status: 'rejected', reason: { code: 'too-many-pending' } })
  t.equal(await store.log.head('/topic/a'), 5)
  t.match(await appender.append(say('a', 7)), { eventIds: [idOf(store, '/topic/a', 6)] })
})

await t.test('closes when all that was called is stored, then refuses', async (t) => {
  const { store, appender } = await startRig(t, { appender: { maxBatch: 1 } })
  const calls = [1, 2, 3].map((n) => appender.append(say('a', n)))
  await Promise.all([appender.close(), appender.close()])
  t.equal(await store.log.head('/topic/a'), 3)
  await Promise.all(calls)
  await t.rejects(appender.append(say('a', 4)), { code: 'store-unavailable' })
})
