import type { Store } from '../../src/store/store.ts'
import { event } from './rows.ts'

interface ResolvedEvent {
  readonly stream: string
  readonly offset: number
  readonly body: string
}

export interface Written {
  readonly resolved: readonly ResolvedEvent[]
  readonly refusals: readonly unknown[]
  readonly slowestMs: number
}

/** Appends to each of these streams, in one transaction, without end, and remembers what resolved. */
export function writeEndlessly(store: Store, name: string, streams: readonly string[]) {
  const resolved: ResolvedEvent[] = []
  const refusals: unknown[] = []
  let slowestMs = 0
  const course = { isEnding: false }
  let listeners: (() => void)[] = []
  const until = async (isReached: () => boolean) => {
    while (!isReached()) await new Promise<void>((resolve) => listeners.push(resolve))
  }
  const writing = (async () => {
    for (let i = 0; !course.isEnding; i += 1) {
      const start = performance.now()
      const bodies = streams.map((_, n) => JSON.stringify(`${name}: ${i}.${n}`))
      try {
        const rows = await store.transact((tx) =>
          tx.appendEvents(streams.map((stream, n) => event(stream, bodies[n]))),
        )
        for (const [n, { stream, offset }] of rows.entries()) {
          resolved.push({ stream, offset, body: bodies[n] ?? '' })
        }
      } catch (error) {
        refusals.push(error)
      }
      slowestMs = Math.max(slowestMs, performance.now() - start)
      const told = listeners
      listeners = []
      for (const tell of told) tell()
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  return {
    /** Resolves when so many more writes are stored. */
    more: async (count: number) => {
      const goal = resolved.length + count * streams.length
      await until(() => resolved.length >= goal)
    },
    /** Resolves with the next refusal. */
    refused: async () => {
      const before = refusals.length
      await until(() => refusals.length > before)
    },
    end: async (): Promise<Written> => {
      course.isEnding = true
      await writing
      return { resolved, refusals, slowestMs }
    },
  }
}
