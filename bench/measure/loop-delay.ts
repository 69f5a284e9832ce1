import { existsSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

export interface LoopDelays {
  readonly p99Ms: number
  readonly maxMs: number
  /** The longest, less the time in which the main thread was ready and other threads had the cores. */
  readonly maxOwnMs: number
  /** The most that the main thread computed between two firings. */
  readonly maxBusyMs: number
}

const SCHEDULER = '/proc/thread-self/schedstat'
const EVERY_MS = 1

/**
 * How late a timer of one millisecond fires. On a machine that others use, lateness says little about
 * this process: so the scheduler's count of waiting for a core (Linux, `schedstat`) is subtracted, and
 * its count of computing is told too. What is in neither is waiting for the disk, or for a machine that
 * gave its cores to others.
 */
export class LoopDelay {
  readonly #lateMs: number[] = []
  readonly #ownMs: number[] = []
  #timer: NodeJS.Timeout
  #due = performance.now() + EVERY_MS
  #maxBusyMs = 0
  #before = scheduled()

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
      maxBusyMs: this.#maxBusyMs,
    }
  }

  #tick(): void {
    const lateMs = Math.max(0, performance.now() - this.#due)
    const now = scheduled()
    this.#lateMs.push(lateMs)
    this.#ownMs.push(Math.max(0, lateMs - (now.waitedMs - this.#before.waitedMs)))
    this.#maxBusyMs = Math.max(this.#maxBusyMs, now.busyMs - this.#before.busyMs)
    this.#before = now
    this.#due = performance.now() + EVERY_MS
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS)
  }
}

/** Of this thread, since it began; nothing where the system does not tell. */
function scheduled(): { busyMs: number; waitedMs: number } {
  if (!existsSync(SCHEDULER)) return { busyMs: 0, waitedMs: 0 }
  const [busyNs, waitedNs] = readFileSync(SCHEDULER, 'utf8').split(' ')
  return { busyMs: Number(busyNs) / 1e6, waitedMs: Number(waitedNs) / 1e6 }
}
