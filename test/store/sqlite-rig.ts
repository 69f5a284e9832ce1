import type { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import { SqliteThread, type SqliteThreadOptions } from '../../src/store/kysely/sqlite-thread.ts'

/** Runs `open` and answers what it opened, with the threads that it started. */
export async function withThreads<T>(open: () => Promise<T>): Promise<{ opened: T; threads: Worker[] }> {
  const threads: Worker[] = []
  const note = (thread: Worker): void => void threads.push(thread)
  process.on('worker', note)
  try {
    return { opened: await open(), threads }
  } finally {
    process.off('worker', note)
  }
}

export async function startThread(
  t: Test,
  options: Partial<SqliteThreadOptions> = {},
): Promise<{ thread: SqliteThread; worker: Worker; messages: () => number }> {
  const path = options.path ?? `${t.testdir()}/thread.db`
  const { opened, threads } = await withThreads(() => SqliteThread.open({ setup: '', ...options, path }))
  t.teardown(() => opened.close())
  const [worker] = threads
  if (worker === undefined) throw new Error('no thread was started')
  return { thread: opened, worker, messages: countMessages(worker) }
}

/** How many messages a thread has sent from now on: each answers one that it got. */
export function countMessages(worker: Worker): () => number {
  let count = 0
  worker.on('message', () => {
    count += 1
  })
  return () => count
}
