import { setTimeout as delay } from 'node:timers/promises'

export interface RepetitionOptions {
  /** Called again and again, never twice at once. May reject. */
  readonly run: (signal: AbortSignal) => Promise<unknown>
  readonly onError: (error: unknown) => void
  /** From the end of one call to the beginning of the next. */
  readonly intervalMs: number
  /** The interval is taken up to this part shorter or longer, so that nodes do not run in step. Default 0. */
  readonly jitter?: number
}

/** Work that a node does at intervals for as long as it lives. */
export class Repetition {
  readonly #options: RepetitionOptions
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: RepetitionOptions) {
    this.#options = options
  }

  /** The first call is an interval away. Once only. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Waits for the call under way, whose signal tells it to come to an end. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    const { run, onError } = this.#options
    while (await this.#pause()) {
      try {
        await run(signal)
      } catch (error) {
        if (!signal.aborted) onError(error)
      }
    }
  }

  /** False where there is no next call. */
  async #pause(): Promise<boolean> {
    const { intervalMs, jitter = 0 } = this.#options
    const factor = 1 + jitter * (2 * Math.random() - 1)
    const { signal } = this.#closing
    await delay(intervalMs * factor, undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }
}
