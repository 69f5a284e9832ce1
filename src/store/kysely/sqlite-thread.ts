import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import { Fifo } from '../../lib/fifo.ts'
import { within } from '../../lib/within.ts'
import { SqliteExitGate } from './sqlite-exit-gate.ts'
import type {
  Answer,
  Failure,
  Outcome,
  Statement,
  ThreadMessage,
  ThreadOptions,
  ThreadRequest,
} from './sqlite-messages.ts'
import { toSqlite } from './sqlite-values.ts'

export interface SqliteThreadOptions {
  readonly path: string
  /** SQL that is run first: the pragmas of the connection. */
  readonly setup: string
  /** How long a statement waits for the lock of another process, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number
  /** How long the thread may take to answer, in milliseconds. Default 30,000. */
  readonly statementTimeoutMs?: number
  /** Statements that wait, and owners of transactions too; beyond it they are refused. Default 20,000. */
  readonly maxWaiting?: number
}

export const MAX_WAITING = 20_000

interface Call extends Deferred<Answer> {
  readonly statement: Statement
}

// What is on its way bounds how much the event loop gets back in one turn. Two messages keep the
// thread busy: it works on the one while the other is answered.
const MAX_MESSAGES_UNDERWAY = 2
const MAX_STATEMENTS_PER_MESSAGE = 32

/** SQLite's own message, and its code: `SQLITE_BUSY`, `SQLITE_CONSTRAINT_UNIQUE`. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError'
  readonly code: string | undefined

  constructor({ message, code }: Failure['failure']) {
    super(message)
    this.code = code
  }
}

/**
 * One SQLite connection on a thread of its own, so that no commit, checkpoint or long search holds the
 * event loop. Statements run one at a time, in the order of calls; those of one turn cross together.
 *
 * When the thread dies, or does not answer in time, everything that waits rejects, and what was under
 * way may have run or not. A thread that answers late goes on. A dead one is not started again: every
 * later call rejects. The process does not stay for a thread that has nothing to do.
 */
export class SqliteThread {
  readonly #worker: Worker
  readonly #exit: Promise<unknown>
  readonly #maxWaiting: number
  readonly #timeoutMs: number
  readonly #watchdog: NodeJS.Timeout
  /** Calls without an answer, in their order. */
  readonly #waiting = new Set<Call>()
  readonly #underway = new Fifo<readonly Call[]>()
  #unsent = new Fifo<Call>()
  #isSending = false
  #isLate = false
  #fault: Error | undefined
  #drained: Deferred<void> | undefined
  #closing: Promise<void> | undefined

  /** Rejects with SqliteError where the file cannot be opened. */
  static async open(options: SqliteThreadOptions): Promise<SqliteThread> {
    const { path, setup, busyTimeoutMs = 5000 } = options
    // It lies beside the source and is compiled to the same place. None of this process's loaders: it
    // needs none, and those of a test runner would count coverage a second time.
    const gate = new SqliteExitGate()
    const worker = new Worker(new URL('./sqlite-worker.js', import.meta.url), {
      workerData: { path, setup, busyTimeoutMs, gate: gate.buffer } satisfies ThreadOptions,
      execArgv: [],
      env: {},
      name: 'sqlite',
    })
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    void exit.then(() => gate.remove())
    const message = once(worker, 'message')
    const [first]: ThreadMessage[] = await Promise.race([message, exit.then(() => [])])
    if (first === 'open') return new SqliteThread(worker, exit, options)
    await exit
    if (typeof first === 'object' && 'failure' in first) throw new SqliteError(first.failure)
    throw new Error('the database thread ended before it was open')
  }

  private constructor(worker: Worker, exit: Promise<unknown>, options: SqliteThreadOptions) {
    this.#worker = worker
    this.#exit = exit
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING
    this.#timeoutMs = options.statementTimeoutMs ?? 30_000
    this.#watchdog = setTimeout(() => this.#giveUpWaiting(), this.#timeoutMs).unref()
    worker.on('message', (outcomes: readonly Outcome[]) => this.#settle(outcomes))
    worker.on('error', (cause) => this.#die(new Error('the database thread failed', { cause })))
    worker.on('exit', () => this.#die(new Error('the database thread has ended')))
    worker.unref()
  }

  /**
   * Runs one statement. Rejects with TypeError for a value or a number of values that SQLite does not
   * take, with SqliteError for what SQLite says, with Error where the thread cannot answer.
   */
  async execute(sql: string, parameters: readonly unknown[], isInTransaction = false): Promise<Answer> {
    this.#mustTake()
    const statement = { sql, parameters: parameters.map(toSqlite), isInTransaction }
    const call: Call = { ...deferred<Answer>(), statement }
    if (this.#waiting.size === 0) this.#worker.ref()
    this.#waiting.add(call)
    this.#unsent.push(call)
    if (!this.#isSending) {
      this.#isSending = true
      process.nextTick(() => {
        this.#isSending = false
        this.#send()
      })
    }
    return call.promise
  }

  /** Waits for what was called, as long as the thread answers in time, and ends it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** @throws Error */
  #mustTake(): void {
    if (this.#closing !== undefined) throw new Error('the database is closed')
    if (this.#fault !== undefined) throw this.#fault
    if (this.#isLate) throw this.#late()
    if (this.#waiting.size >= this.#maxWaiting) throw new Error('too many statements are waiting')
  }

  #send(): void {
    while (this.#underway.size < MAX_MESSAGES_UNDERWAY && this.#unsent.size > 0) {
      const calls: Call[] = []
      while (calls.length < MAX_STATEMENTS_PER_MESSAGE) {
        const call = this.#unsent.shift()
        if (call === undefined) break
        calls.push(call)
      }
      if (this.#underway.size === 0) this.#watchdog.refresh()
      this.#underway.push(calls)
      this.#tell(calls.map(({ statement }) => statement))
    }
  }

  #tell(request: ThreadRequest): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(request)
  }

  #settle(outcomes: readonly Outcome[]): void {
    this.#isLate = false
    this.#watchdog.refresh()
    for (const [i, call] of (this.#underway.shift() ?? []).entries()) {
      const outcome = outcomes[i]
      if (!this.#waiting.delete(call) || outcome === undefined) continue
      if ('failure' in outcome) call.reject(new SqliteError(outcome.failure))
      else call.resolve(outcome)
    }
    this.#send()
    this.#rest()
  }

  #giveUpWaiting(): void {
    if (this.#underway.size === 0) return
    this.#isLate = true
    this.#rejectAll(this.#late())
  }

  #die(error: Error): void {
    clearTimeout(this.#watchdog)
    this.#fault ??= error
    this.#rejectAll(this.#fault)
  }

  #rejectAll(error: Error): void {
    const calls = [...this.#waiting]
    this.#waiting.clear()
    this.#unsent = new Fifo()
    for (const call of calls) call.reject(error)
    this.#rest()
  }

  #rest(): void {
    if (this.#waiting.size > 0) return
    this.#worker.unref()
    this.#drained?.resolve()
  }

  #late(): Error {
    return new Error(`the database has not answered for ${this.#timeoutMs} ms`)
  }

  async #end(): Promise<void> {
    if (this.#waiting.size > 0) {
      this.#drained = deferred()
      await this.#drained.promise
    }
    this.#worker.ref()
    this.#tell('close')
    try {
      await within(this.#exit, this.#timeoutMs, () => this.#late())
    } catch {
      this.#worker.unref() // libsql does not bear that a thread is terminated inside it
    }
    clearTimeout(this.#watchdog)
  }
}
