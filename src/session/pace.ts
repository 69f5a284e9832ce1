/**
 * Bytes of large frames a second of one session, in the long run. What is more stays in its socket: copying
 * large messages, and collecting them afterwards, takes the node's time from everybody (`bench -- isolation`,
 * giant frames).
 */
export const MAX_BYTES_PER_SECOND = 8_388_608

/** As many may come at once after a rest, and the clock is asked no more often than that. */
export const BURST_BYTES = 262_144

/** Of each frame: small ones cost by their number, which has bounds of its own. */
const FREE_BYTES = 1024

const BYTES_PER_MS = MAX_BYTES_PER_SECOND / 1000

/** How fast one session may send large messages, whoever it is. */
export class Pace {
  /** Since the clock was asked. */
  #spentBytes = 0
  /** When all that was spent before is paid for. */
  #paidAtMs = 0

  /** @param bytes of one frame */
  spend(bytes: number): void {
    this.#spentBytes += Math.max(0, bytes - FREE_BYTES)
  }

  /** Milliseconds to wait before more is taken; asked again after the wait, none. */
  aheadMs(): number {
    if (this.#spentBytes < BURST_BYTES) return 0
    const nowMs = performance.now()
    const rested = nowMs - BURST_BYTES / BYTES_PER_MS
    this.#paidAtMs = Math.max(this.#paidAtMs, rested) + this.#spentBytes / BYTES_PER_MS
    this.#spentBytes = 0
    return Math.max(0, this.#paidAtMs - nowMs)
  }
}
