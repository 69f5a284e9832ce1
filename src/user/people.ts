import { Repetition } from '../lib/repetition.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'

export interface PeopleOptions {
  readonly store: { readonly people: Pick<Store['people'], 'remember'> }
  readonly log: Pick<Log, 'warn'>
  /** Default 250. */
  readonly intervalMs?: number
  /** Names known to be stored, and likewise names that wait for it. Default 10,000. */
  readonly max?: number
}

const BATCH = 500

/** Remembers who was here, so that others find them by name. A name is written once in a while, not at each CONNECT. */
export class People {
  readonly counters = { remembered: 0, dropped: 0 }
  readonly #options: PeopleOptions
  readonly #stored = new Set<string>()
  readonly #waiting = new Set<string>()
  readonly #rounds: Repetition

  constructor(options: PeopleOptions) {
    this.#options = options
    this.#rounds = new Repetition({
      run: () => this.#write(),
      onError: (error) =>
        options.log.warn({ event: 'people-not-stored', err: error }, 'names cannot be remembered now'),
      intervalMs: options.intervalMs ?? 250,
    })
  }

  /** A name beyond the bound is remembered when it comes again. */
  seen(name: string): void {
    if (this.#stored.has(name) || this.#waiting.has(name)) return
    if (this.#waiting.size >= this.#max) this.counters.dropped += 1
    else this.#waiting.add(name)
  }

  /** Once only. */
  start(): void {
    this.#rounds.start()
  }

  /** Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#rounds.close()
  }

  get #max(): number {
    return this.#options.max ?? 10_000
  }

  async #write(): Promise<void> {
    while (this.#waiting.size > 0) {
      const names = [...this.#waiting].slice(0, BATCH)
      await this.#options.store.people.remember(names)
      this.counters.remembered += names.length
      for (const name of names) {
        this.#waiting.delete(name)
        this.#stored.add(name)
      }
      for (const oldest of this.#stored) {
        if (this.#stored.size <= this.#max) break
        this.#stored.delete(oldest)
      }
    }
  }
}
