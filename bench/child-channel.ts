import { fork, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { plainEnvironment } from '../test/support/plain-environment.ts'

const STOP_TIMEOUT_MS = 5000
const DEFAULT_TIMEOUT_MS = 60_000
const MAX_EARLY = 16

interface Typed {
  readonly type: string
  /** On messages of type `failed`. */
  readonly reason?: string
}

interface Waiter<In extends Typed> {
  /** Returns whether this was what was waited for. */
  readonly take: (message: In) => boolean
  readonly reject: (error: Error) => void
}

/**
 * A forked process and the messages it sends. A message of type `failed` with a `reason`, or the end
 * of the process, fails whatever is waited for, now and later.
 */
export class ChildChannel<Out extends Typed, In extends Typed> {
  readonly #child: ChildProcess
  readonly #waiters = new Set<Waiter<In>>()
  /** Messages that nobody waited for yet. */
  readonly #early: In[] = []
  #failure: Error | undefined
  #isStopping = false

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: In) => this.#onMessage(message))
    child.on('error', (error) => this.#fail(error))
    child.on('exit', (code, signal) => {
      if (!this.#isStopping) this.#fail(new Error(`a process ended by itself (${signal ?? code})`))
    })
  }

  static fork<Out extends Typed, In extends Typed>(modulePath: string): ChildChannel<Out, In> {
    // Not what this process was started with: a test runner's loader takes seconds to start, and
    // its variables would have the children's coverage counted as the tests'.
    const execArgv = modulePath.endsWith('.ts') ? ['--import', 'tsx'] : []
    const env = plainEnvironment()
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'ipc']
    return new ChildChannel(fork(modulePath, { execArgv, env, stdio }))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Set once something went wrong. */
  get failure(): Error | undefined {
    return this.#failure
  }

  send(message: Out): void {
    if (this.#child.connected) this.#child.send(message)
  }

  /** The next message of a type; rejects when the process failed or was silent for `timeoutMs`. */
  async next<T extends In['type']>(
    type: T,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  ): Promise<Extract<In, { type: T }>> {
    const early = this.#takeEarly(type)
    if (early !== undefined) return early
    if (this.#failure !== undefined) throw this.#failure
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiter.reject(new Error(`no "${type}" from a process within ${timeoutMs} ms`))
      }, timeoutMs)
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter<In> = {
        take: (message) => {
          if (!isOfType(message, type)) return false
          settle()
          resolve(message)
          return true
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
    })
  }

  /** Ends the process. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    const harder = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(harder)
  }

  #onMessage(message: In): void {
    if (message.type === 'failed') {
      this.#fail(new Error(message.reason ?? 'a process failed'))
      return
    }
    for (const waiter of this.#waiters) {
      if (waiter.take(message)) return
    }
    this.#early.push(message)
    if (this.#early.length > MAX_EARLY) this.#fail(new Error(`nobody waits for "${message.type}"`))
  }

  #takeEarly<T extends In['type']>(type: T): Extract<In, { type: T }> | undefined {
    for (const [index, message] of this.#early.entries()) {
      if (!isOfType(message, type)) continue
      this.#early.splice(index, 1)
      return message
    }
    return undefined
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const waiter of this.#waiters) waiter.reject(error)
  }
}

function isOfType<In extends Typed, T extends In['type']>(
  message: In,
  type: T,
): message is Extract<In, { type: T }> {
  return message.type === type
}
