import { existsSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

export interface LoopDelays {
  readonly p99Ms: number
  readonly maxMs: number
  /** The longest, less the time in which the main thread was ready and other threads had the cores. */
  readonly maxOwnMs: number
}

const SCHEDULER = '/proc/thread-self/schedstat'
const EVERY_MS = 1

/**
 * How late a timer of one millisecond fires. On a machine that others use, lateness says little about
 * this process: so the scheduler's count of waiting for a core (Linux, `schedstat`) is subtracted too.
 */
export class LoopDelay {
  readonly #lateMs: number[] = []
  readonly #ownMs: number[] = []
  #timer: NodeJS.Timeout
  #due = performance.now() + EVERY_MS
  #waitedMs = waitedForCoreMs()

  constructor() {
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS)
  }

  stop(): LoopDelays {
    clearTimeout(this.#timer)
    const sorted = this.#lateMs.toSorted((a, b) => a - b)
    return {
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      maxMs: sorted.at(-1) ?? 0,
      maxOwnMs: this.#ownMs.reduce((max, ms) => Math.max(max, ms), 0),
    }
  }

  #tick(): void {
    const lateMs = Math.max(0, performance.now() - this.#due)
    const waitedMs = waitedForCoreMs()
    this.#lateMs.push(lateMs)
    this.#ownMs.push(Math.max(0, lateMs - (waitedMs - this.#waitedMs)))
    this.#waitedMs = waitedMs
    this.#due = performance.now() + EVERY_MS
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS)
  }
}

/** Milliseconds since the thread began; 0 where the system does not tell. */
function waitedForCoreMs(): number {
  if (!existsSync(SCHEDULER)) return 0
  const [, waitedNs] = readFileSync(SCHEDULER, 'utf8').split(' ')
  return Number(waitedNs) / 1e6
}
