// How many events a second the store takes, one by one and by groups, and how long the event loop stands still.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { openStore } from '../src/store/kysely/open-store.ts'
import { StreamAppender } from '../src/stream/append.ts'

const SECONDS = 3
const folder = mkdtempSync(join(tmpdir(), 'stomp-relay-bench-'))
const store = await openStore({ url: `sqlite:${folder}/relay.db`, nodeId: 'bench', lock: true })

async function run(concurrency: number, maxBatch: number): Promise<void> {
  const removing: Promise<void>[] = []
  const appender = new StreamAppender({
    store,
    relay: { push: (rows) => removing.push(store.outbox.remove(rows.map(({ seq }) => seq))) },
    maxBatch,
  })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let count = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  delay.enable()
  const worker = async (): Promise<void> => {
    while (performance.now() - start < SECONDS * 1000) {
      const id = randomUUID()
      await appender.append((tx) => {
        const createdAt = new Date().toISOString()
        const content = 'x'.repeat(128)
        const fields = { room: null, receiver: null, clientId: null, replyTo: null, status: 'SENT' }
        tx.messages.insert({ ...fields, id, sender: 'alice', content, createdAt })
        const address = { kind: 'topic', topic: 'messages' } as const
        return Promise.resolve({
          events: [{ stream: '/topic/messages', address, payload: { id, content } }],
          result: 0,
        })
      })
      count += 1
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  delay.disable()
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  await Promise.all(removing)
  const cpuUs = (used.user + used.system) / count
  console.log(
    `${String(concurrency).padStart(5)} at once, batch <= ${String(maxBatch).padStart(4)}: ` +
      `${(count / seconds).toFixed(0).padStart(7)} appends/s, ${cpuUs.toFixed(0).padStart(4)} us CPU each, ` +
      `longest block ${(delay.max / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  )
}

try {
  for (const [concurrency, maxBatch] of [
    [1, 1],
    [1, 256],
    [10, 256],
    [100, 256],
    [1000, 100],
    [1000, 256],
    [1000, 1000],
  ] as const) {
    await run(concurrency, maxBatch)
  }
} finally {
  await store.close()
  rmSync(folder, { recursive: true })
}
