import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { AWAY, idOf, say, startRig, topicEvent } from './rig.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

await t.test('relays what an earlier process left behind, first and in order, then removes it', async (t) => {
  const { store, line, watched, outbox, appender } = await startRig(t, { outbox: { pageSize: 10 } })
  const left = numbers(25).map((n) => topicEvent('a', String(n)))
  await store.transact((tx) => tx.appendEvents(left))
  await appender.append(say('a', 'before the start'))
  await outbox.start()
  await appender.append(say('a', 'after it'))
  await line.until(27)
  t.strictSame(line.bodies, [...numbers(25).map(String), '"before the start"', '"after it"'])
  t.strictSame(
    line.received.map(({ eventId }) => eventId),
    numbers(27).map((n) => idOf(store, '/topic/a', n + 1)),
  )
  await watched.untilEmpty()
  t.equal(outbox.held, 0)
})

await t.test(
  'keeps everything while the broker is away, and relays it in order when it is back',
  async (t) => {
    const { store, line, watched, outbox, appender } = await startRig(t)
    await outbox.start()
    line.fault = () => AWAY
    await Promise.all(numbers(20).map((n) => appender.append(say(`t${n % 2}`, n))))
    for (const _ of numbers(5)) await line.attempt()
    t.equal((await store.outbox.pending(0, 100)).length, 20)
    t.strictSame(line.received, [])
    line.fault = () => undefined
    await line.until(20)
    for (const parity of [0, 1]) {
      const own = line.bodies.filter((body) => Number(body) % 2 === parity)
      t.strictSame(
        own,
        numbers(20)
          .filter((n) => n % 2 === parity)
          .map(String),
      )
    }
    await watched.untilEmpty()
  },
)

await t.test(
  'holds no more than its bound, and reads the rest from the table when there is room',
  async (t) => {
    const { line, watched, outbox, appender } = await startRig(t, { outbox: { maxHeld: 10, pageSize: 100 } })
    await outbox.start()
    const gate = deferred()
    line.fault = () => gate.promise
    await Promise.all(numbers(100).map((n) => appender.append(say('a', n))))
    t.equal(outbox.held, 10)
    gate.resolve()
    await line.until(100)
    t.strictSame(line.bodies, numbers(100).map(String))
    await watched.untilEmpty()
    t.ok(
      watched.pages.every((rows) => rows <= 5),
      'a page is at most half of the bound',
    )
    await appender.append(say('a', 'later'))
    await line.until(101)
    t.equal(line.bodies.at(-1), '"later"')
  },
)

await t.test(
  'gives up an event that the broker keeps refusing; others go on, and the log has it',
  async (t) => {
    const { store, line, warnings, watched, outbox, appender } = await startRig(t, {
      outbox: { maxRefusals: 2 },
    })
    await outbox.start()
    line.fault = ({ body }) =>
      Buffer.from(body).toString() === '1' ? new MessageError('broker-refused', 'a queue is full') : undefined
    await Promise.all([1, 2].map((n) => appender.append(say('a', n))))
    await warnings.until('relay-given-up')
    await watched.untilEmpty()
    t.equal(line.bodies.at(-1), '2')
    t.notOk(line.bodies.includes('1'))
    t.equal((await store.log.read('/topic/a', 0, 5)).length, 2)
  },
)

await t.test('misses nothing that is committed while the table is read, and repeats nothing', async (t) => {
  const { store, line, watched, outbox, appender } = await startRig(t)
  const gate = deferred()
  watched.gate = gate.promise
  await store.transact((tx) => tx.appendEvents([topicEvent('a', '"read and pushed"')]))
  const both = await store.outbox.pending(0, 1)
  const isRead = watched.read()
  const started = outbox.start()
  await isRead
  await appender.append(say('a', 'pushed, not read'))
  gate.resolve()
  await started
  await line.until(2)
  outbox.push(both)
  await appender.append(say('a', 'last'))
  await line.until(3)
  t.strictSame(line.bodies, ['"read and pushed"', '"pushed, not read"', '"last"'])
})

await t.test('gives up rows that have no address', async (t) => {
  const { store, line, warnings, watched, outbox } = await startRig(t, { outbox: { maxRefusals: 1 } })
  const addresses = [
    null,
    'a',
    {},
    { kind: 7 },
    { kind: 'other' },
    { kind: 'user', user: 'bob' },
    { kind: 'topic', topic: 1 },
  ]
  const rows = addresses.map((address, i) => Object.assign(topicEvent(`${i}`, '{}'), { address }))
  await store.transact((tx) => tx.appendEvents(rows))
  await outbox.start()
  await watched.untilEmpty()
  t.strictSame(
    warnings.events,
    addresses.map(() => 'relay-given-up'),
  )
  t.strictSame(line.received, [])
})

await t.test('tries again when the table cannot be read', async (t) => {
  const { hand, line, warnings, outbox, appender } = await startRig(t, { outbox: { maxHeld: 2 } })
  await outbox.start()
  const gate = deferred()
  line.fault = () => gate.promise
  await Promise.all(numbers(6).map((n) => appender.append(say('a', n))))
  hand.exec('alter table outbox rename to elsewhere')
  gate.resolve()
  await warnings.until('outbox-unreadable')
  hand.exec('alter table elsewhere rename to outbox')
  await line.until(6)
  t.strictSame(line.bodies, numbers(6).map(String))
})

await t.test('refuses to start when the table cannot be read', async (t) => {
  const { hand, outbox } = await startRig(t)
  hand.exec('drop table outbox')
  await t.rejects(outbox.start(), { code: 'store-unavailable' })
})

await t.test('removes rows later when they cannot be removed now', async (t) => {
  const { hand, warnings, watched, outbox, appender } = await startRig(t)
  await outbox.start()
  hand.exec("create trigger broken before delete on outbox begin select raise(abort, 'read-only'); end")
  await appender.append(say('a', 1))
  await warnings.until('outbox-not-trimmed')
  hand.exec('drop trigger broken')
  await watched.untilEmpty()
  t.pass('removed')
})

await t.test('closes after what is under way, and leaves the rest in the table', async (t) => {
  const { store, line, outbox, appender } = await startRig(t, { outbox: { closeTimeoutMs: 60_000 } })
  await outbox.start()
  const gate = deferred()
  line.fault = () => gate.promise
  const attempt = line.attempt()
  await appender.append(say('a', 1))
  await attempt
  const closed = outbox.close()
  await appender.append(say('a', 2))
  gate.resolve()
  await closed
  await outbox.close()
  t.strictSame(line.bodies, ['1'])
  t.match(await store.outbox.pending(0, 5), [{ body: '2' }])
})

await t.test('closes within its bound when the broker never answers', async (t) => {
  const { store, line, outbox, appender } = await startRig(t, { outbox: { closeTimeoutMs: 1 } })
  await outbox.start()
  line.fault = () => new Promise(() => undefined)
  await appender.append(say('a', 1))
  await outbox.close()
  t.equal((await store.outbox.pending(0, 5)).length, 1)
})

await t.test('closes before it was started', async (t) => {
  const { store, outbox, appender } = await startRig(t)
  await appender.append(say('a', 1))
  await outbox.close()
  await turn()
  t.equal((await store.outbox.pending(0, 5)).length, 1)
})
