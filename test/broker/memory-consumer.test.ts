import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import type { MemoryLimits } from '../../src/broker/memory/memory-limits.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { message, openClient, text, texts, type ContractTest } from './contract/scene.ts'

async function openMemory(t: ContractTest, limits: Partial<MemoryLimits>) {
  const broker = createMemoryBroker({ limits })
  t.teardown(async () => broker.close())
  return { broker, client: await openClient(t, broker) }
}

const queued = (queue: string, body: string) => message({ kind: 'queue', queue }, body)

await t.test('does not wait for ever for a handler when it closes', async (t) => {
  const { broker } = await openMemory(t, { closeTimeoutMs: 1 })
  const [started, never] = [deferred(), deferred()]
  await broker.publish(queued('q', '1'))
  await broker.consume('q', { prefetch: 1 }, async () => {
    started.resolve()
    await never.promise
  })
  await started.promise
  await broker.close()
  never.resolve()
  t.notOk(broker.status().isUp)
})

await t.test('gives back at once what waits for its next try when the consumer closes', async (t) => {
  const { broker, client } = await openMemory(t, { redeliveryMs: 1_000_000 })
  const failed = deferred()
  await broker.publish(queued('q', '1'))
  const consumer = await broker.consume('q', { prefetch: 1 }, async () => {
    failed.resolve()
    throw new Error('the store is away')
  })
  await failed.promise
  await consumer.close()
  await client.subscribe('/queue/q')
  t.strictSame(texts(await client.messages.atLeast(1)), ['1'])
})

await t.test('empties a queue before its consumer is gone, trying each failing message once', async (t) => {
  const { broker, client } = await openMemory(t, { redeliveryMs: 1_000_000 })
  const bodies = Array.from({ length: 600 }, (_, index) => String(index))
  for (const body of bodies) await broker.publish(queued('q', body))
  const [done, tries] = [[] as string[], [] as string[]]
  const consumer = await broker.consume('q', { prefetch: 3 }, async (each) => {
    await turn()
    tries.push(text(each))
    if (text(each).endsWith('99')) throw new Error('the store is away')
    done.push(text(each))
  })
  await Promise.all([consumer.close(), consumer.close()])
  t.equal(done.length, 594)
  t.equal(tries.length, 600, 'each was tried once')
  t.equal(broker.counters.leftByConsumer, 6)
  await client.subscribe('/queue/q')
  const left = await client.messages.atLeast(6)
  t.strictSame(texts(left), ['99', '199', '299', '399', '499', '599'], 'in their order')
})

await t.test('closes as soon as another consumer has emptied the queue', async (t) => {
  const { broker, client } = await openMemory(t, { closeTimeoutMs: 1_000_000 })
  const taken = deferred()
  const consumer = await broker.consume('q', { prefetch: 1 }, async () => taken.resolve())
  await client.subscribe('/queue/q')
  await broker.publish(queued('q', '1'))
  await taken.promise
  await broker.publish(queued('q', '2'))
  await consumer.close()
  t.strictSame(texts(client.messages.items), ['2'])
  t.equal(broker.counters.leftByConsumer, 0)
})

await t.test('counts and logs what a consumer leaves behind when its time is up', async (t) => {
  const warnings: object[] = []
  const log = { warn: (detail: object) => void warnings.push(detail) }
  const broker = createMemoryBroker({ limits: { closeTimeoutMs: 1 }, log })
  t.teardown(async () => broker.close())
  const [started, gate] = [deferred(), deferred()]
  t.teardown(() => gate.resolve())
  for (const body of ['1', '2']) await broker.publish(queued('q', body))
  const consumer = await broker.consume('q', { prefetch: 1 }, async () => {
    started.resolve()
    await gate.promise
  })
  await started.promise
  await consumer.close()
  t.equal(broker.counters.leftByConsumer, 2, 'one in the queue, and one under way')
  t.match(warnings, [{ event: 'messages-left', queue: 'q', left: 2 }])
})
