import type { StreamReader } from '../stream/stream-reader.ts'
import type { StreamGate } from './stream-gate.ts'

export interface HeadWatchParts {
  readonly reader: StreamReader
  /** Those that are open. */
  readonly gates: () => readonly StreamGate[]
  readonly onFault: (error: unknown) => void
  readonly intervalMs: number
  /** What is stored may be on its way from the broker for so long. */
  readonly graceMs: number
}

/**
 * Compares every so often, and whenever messages may have been lost, how far the node's streams have
 * come with what is stored: a lost last event shows by nothing else.
 */
export class HeadWatch {
  readonly #parts: HeadWatchParts
  readonly #interval: NodeJS.Timeout
  #isRunning = false
  #isAsked = false
  #isClosed = false

  constructor(parts: HeadWatchParts) {
    this.#parts = parts
    this.#interval = setInterval(() => this.compare(), parts.intervalMs).unref()
  }

  /** Compares now, or again if a comparison is under way, which may have asked too early. */
  compare(): void {
    if (this.#isClosed) return
    this.#isAsked = true
    if (!this.#isRunning) void this.#run()
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#interval)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false
      try {
        await this.#compareOnce()
      } catch (error) {
        // The next round asks again.
        this.#parts.onFault(error)
      }
    }
    this.#isRunning = false
  }

  async #compareOnce(): Promise<void> {
    const asked = this.#parts.gates().map((gate) => ({ gate, last: gate.last }))
    if (asked.length === 0) return
    const heads = await this.#parts.reader.heads(asked.map(({ gate }) => gate.stream))
    for (const [i, head] of heads.entries()) asked[i]?.gate.compare(head, asked[i].last)
    await new Promise((resolve) => setTimeout(resolve, this.#parts.graceMs).unref())
    for (const { gate } of asked) gate.catchUp()
  }
}
