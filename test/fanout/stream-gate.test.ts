import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { STREAM, streamRig } from '../support/stream-rig.ts'
import { until } from '../support/until.ts'

const away = new MessageError('store-unavailable', 'the database does not answer')

await t.test('passes events in order, and drops what comes again', async (t) => {
  const { hub, append, bring, subscribe, id } = await streamRig(t)
  const { subscriber, recovery } = await subscribe()
  t.same(recovery, { position: { epoch: id(0).split(':')[0], offset: 0 } })
  await append(3)
  for (const offset of [1, 1, 2, 1, 3, 3]) bring(offset)
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3'])
  t.same(subscriber.headers('event-id'), [id(1), id(2), id(3)])
  t.match(hub.counters, { duplicates: 3, gaps: 0, filled: 0 })
})

await t.test('lets what comes early wait, and asks the store for nothing that comes by itself', async (t) => {
  const { hub, hooks, append, bring, subscribe } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(5)
  hooks.beforeRead = () => t.fail('the store was asked')
  for (const offset of [2, 3, 3, 5, 1, 4]) bring(offset)
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3', '4', '5'])
  t.match(hub.counters, { gaps: 0, filled: 0, trimmed: 0 })
})

await t.test('reads from the store what does not come, and drops it when it comes late', async (t) => {
  const { hub, append, bring, subscribe, id } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(4)
  bring(1)
  bring(4)
  await until(() => subscriber.bodies.length === 4)
  bring(2)
  bring(3)
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3', '4'])
  t.same(subscriber.headers('event-id'), [1, 2, 3, 4].map(id))
  t.same(subscriber.headers('destination'), Array(4).fill(STREAM))
  t.match(hub.counters, { gaps: 1, filled: 2, duplicates: 2 })
})

await t.test('what comes while a hole is read passes once', async (t) => {
  const { append, bring, subscribe, hooks } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(5)
  hooks.afterRead = () => {
    hooks.afterRead = () => undefined
    for (const offset of [1, 2, 3]) bring(offset)
  }
  bring(4)
  await until(() => subscriber.bodies.length >= 5)
  await turn()
  t.same(subscriber.bodies, ['1', '2', '3', '4', '5'])
})

await t.test('notices a lost last event when it compares heads', async (t) => {
  const { hub, append, bring, subscribe } = await streamRig(t, { limits: { compareMs: 20 } })
  const { subscriber } = await subscribe()
  await append(3)
  bring(1)
  await until(() => subscriber.bodies.length === 3)
  t.same(subscriber.bodies, ['1', '2', '3'])
  // A comparison may have come before the broker did.
  t.ok(hub.counters.filled >= 2)
})

await t.test('compares heads at once when messages may have been lost', async (t) => {
  const { hub, append, subscribe, holes } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(2)
  hub.onHole('link lost')
  hub.onHole('link lost again')
  await until(() => subscriber.bodies.length === 2)
  t.same(holes, ['link lost', 'link lost again'])
})

await t.test('what is lost while a stream is opened is not missed', async (t) => {
  const { hub, append, subscribe, hooks, id } = await streamRig(t)
  // Stored after the store said where the stream stood, and lost before the gate heard it.
  hooks.afterHeads = async () => {
    hooks.afterHeads = () => undefined
    await append(1)
    hub.onHole('link lost')
  }
  const { subscriber, recovery } = await subscribe({ kind: 'event-id', eventId: id(0) })
  t.match(recovery, { position: { offset: 1 }, recovered: true })
  t.same(subscriber.bodies, ['1'])
})

await t.test('gives the broker a moment before it reads what a comparison found', async (t) => {
  const { hub, append, bring, subscribe, hooks } = await streamRig(t, { limits: { compareGraceMs: 50 } })
  const { subscriber } = await subscribe()
  await append(2)
  hooks.beforeRead = () => t.fail('the store was asked')
  let asked = 0
  hooks.afterHeads = () => void asked++
  hub.compare()
  await until(() => asked === 1)
  bring(1)
  bring(2)
  hub.compare()
  await until(() => asked === 2)
  t.same(subscriber.bodies, ['1', '2'])
})

await t.test('a comparison that fails is made again', async (t) => {
  const { hub, append, subscribe, hooks, faults } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(1)
  hooks.beforeHeads = () => {
    throw away
  }
  hub.compare()
  await until(() => faults.length === 1)
  hooks.beforeHeads = () => undefined
  hub.compare()
  await until(() => subscriber.bodies.length === 1)
  t.same(faults, [away])
})

await t.test('a closed hub compares nothing', async (t) => {
  const { hub, subscribe, hooks } = await streamRig(t)
  hub.compare()
  await subscribe()
  hub.close()
  hooks.beforeHeads = () => t.fail('the store was asked')
  hub.compare()
  await turn()
  t.pass()
})

await t.test('begins behind what was stored before, however late that comes', async (t) => {
  const { append, bring, subscribe, hooks } = await streamRig(t)
  await append(3)
  // Between bind-ok and the answer about the head: 3 is old, 4 is new, 6 comes before 5.
  hooks.afterHeads = async () => {
    await append(3)
    for (const offset of [3, 4, 6]) bring(offset)
  }
  const { subscriber, recovery } = await subscribe()
  t.equal(recovery.position?.offset, 4)
  bring(5)
  await turn()
  t.same(subscriber.bodies, ['5', '6'])
})

await t.test('fills a hole that was there when the gate opened', async (t) => {
  const { append, bring, subscribe, hooks } = await streamRig(t)
  await append(1)
  hooks.afterHeads = async () => {
    await append(2)
    bring(3)
  }
  const { subscriber } = await subscribe()
  await until(() => subscriber.bodies.length === 2)
  t.same(subscriber.bodies, ['2', '3'])
})

await t.test('jumps over what is not kept any more', async (t) => {
  const { hub, store, append, bring, subscribe } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(3, { expiresAt: '2000-01-01T00:00:00.000Z' })
  await append(3)
  t.equal(await store.log.trim(new Date().toISOString(), 100), 3)
  bring(6)
  await until(() => subscriber.bodies.length === 3)
  t.same(subscriber.bodies, ['4', '5', '6'])
  t.match(hub.counters, { trimmed: 3, filled: 2 })
})

await t.test('what the broker brought is sent though the store keeps it no more', async (t) => {
  const { hub, store, append, bring, subscribe } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(5, { expiresAt: '2000-01-01T00:00:00.000Z' })
  await store.log.trim(new Date().toISOString(), 100)
  bring(3)
  bring(5)
  await until(() => subscriber.bodies.length === 2)
  t.same(subscriber.bodies, ['3', '5'])
  hub.compare()
  await append(1)
  bring(6)
  await until(() => subscriber.bodies.length === 3)
  t.equal(hub.counters.trimmed, 3)
})

await t.test('what is stored between two questions is not taken for trimmed', async (t) => {
  const { hub, append, bring, subscribe, hooks } = await streamRig(t)
  const { subscriber } = await subscribe()
  let reads = 0
  hooks.afterRead = async () => {
    reads += 1
    if (reads === 1) await append(2)
  }
  bring(2)
  await until(() => subscriber.bodies.length === 2)
  t.same(subscriber.bodies, ['1', '2'])
  t.equal(hub.counters.trimmed, 0)
})

await t.test('keeps only so much behind a hole; the rest is read again', async (t) => {
  const { append, bring, subscribe, hooks, hub } = await streamRig(t)
  const { subscriber } = await subscribe()
  const pad = ' '.repeat(100_000)
  await append(10, { pad })
  const asked = deferred()
  const go = deferred()
  hooks.beforeRead = () => {
    asked.resolve()
    return go.promise
  }
  for (let offset = 2; offset <= 10; offset += 1) bring(offset, { body: Buffer.from(`${offset}${pad}`) })
  await asked.promise
  go.resolve()
  await until(() => subscriber.bodies.length === 10)
  t.same(
    subscriber.bodies.map((body) => Number(body)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  t.equal(hub.counters.filled, 5, 'the first, and the four beyond half a mebibyte')
})

await t.test('fills a hole of several pages', async (t) => {
  const { append, bring, subscribe } = await streamRig(t)
  const { subscriber } = await subscribe()
  await append(450)
  bring(450)
  await until(() => subscriber.bodies.length === 450)
  t.same(
    subscriber.bodies,
    Array.from({ length: 450 }, (_, i) => String(i + 1)),
  )
})
