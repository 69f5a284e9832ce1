// How many events a second the store takes, one by one and by groups, and what that does to the event loop.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openStore } from '../src/store/kysely/open-store.ts'
import { StreamAppender } from '../src/stream/append.ts'
import { LoopDelay } from './measure/loop-delay.ts'

const SECONDS = Number(process.argv[2] ?? 3)
const READ_EVERY_MS = 5
const folder = mkdtempSync(join(tmpdir(), 'stomp-relay-bench-'))
const store = await openStore({ url: `sqlite:${folder}/relay.db`, nodeId: 'bench', lock: true })

interface Measured {
  readonly count: number
  readonly seconds: number
}

/** Runs `load` with the loop observed and a reader beside it, and prints one line. */
async function measure(title: string, load: () => Promise<Measured>): Promise<void> {
  const delay = new LoopDelay()
  const reader = new Reader()
  const cpu = process.cpuUsage()
  const { count, seconds } = await load()
  const used = process.cpuUsage(cpu)
  const { p99Ms, maxMs, maxOwnMs, maxBusyMs } = delay.stop()
  const reads = await reader.stop()
  const cpuUs =
    count === 0 ? '' : `, ${((used.user + used.system) / count).toFixed(0).padStart(4)} us CPU each`
  console.log(
    `${title.padEnd(27)} ${(count / seconds).toFixed(0).padStart(6)} appends/s${cpuUs.padEnd(18)}; loop late by ` +
      `p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(1)} ms, ${maxOwnMs.toFixed(1)} ms without waiting for a core, ` +
      `${maxBusyMs.toFixed(1)} ms computing; ` +
      `a read takes ${reads}`,
  )
}

/** Reads a page of the log every few milliseconds, as somebody who resumes does. */
class Reader {
  readonly #tookMs: number[] = []
  readonly #timer = setInterval(() => void this.#read(), READ_EVERY_MS)
  #isReading = false

  async stop(): Promise<string> {
    clearInterval(this.#timer)
    const sorted = this.#tookMs.toSorted((a, b) => a - b)
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)
    return `p50 ${at(0.5)}, p99 ${at(0.99)} ms`
  }

  async #read(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    const start = performance.now()
    await store.log.read('/topic/messages', 0, 20)
    this.#tookMs.push(performance.now() - start)
    this.#isReading = false
  }
}

async function idle(): Promise<Measured> {
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
  return { count: 0, seconds: SECONDS }
}

async function append(concurrency: number, maxBatch: number): Promise<Measured> {
  const removing: Promise<void>[] = []
  const appender = new StreamAppender({
    store,
    relay: {
      push: (rows) => removing.push(store.outbox.remove(rows.map(({ seq }) => seq))),
      recheck: () => undefined,
    },
    maxBatch,
  })
  let count = 0
  const start = performance.now()
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
  const seconds = (performance.now() - start) / 1000
  await Promise.all(removing)
  return { count, seconds }
}

try {
  await measure('idle', idle)
  for (const [concurrency, maxBatch] of [
    [1, 1],
    [10, 256],
    [100, 256],
    [1000, 100],
    [1000, 256],
    [1000, 1000],
  ] as const) {
    await measure(`${concurrency} at once, batch <= ${maxBatch}`, () => append(concurrency, maxBatch))
  }
  await measure('idle', idle)
} finally {
  await store.close()
  rmSync(folder, { recursive: true })
}
