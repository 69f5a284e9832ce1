import type { Log } from '../telemetry/log.ts'
import type { NodeLease } from './node-lease.ts'
import type { Outbox } from './outbox.ts'
import { Repetition } from '../lib/repetition.ts'

export interface SweeperOptions {
  readonly outbox: Pick<Outbox, 'claim'>
  readonly lease: Pick<NodeLease, 'isHeld'>
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Default 1,000. */
  readonly intervalMs?: number
  /** Rows claimed at once. Default 500. */
  readonly batchSize?: number
}

/**
 * Takes over what dead nodes left in their outboxes: a lease of 6 s and a look each second make that
 * less than 10 s after their death. Several survivors share it, batch by batch. A node without its own
 * lease claims nothing, as it would have to give it away again.
 */
export class Sweeper {
  readonly #options: SweeperOptions
  readonly #looks: Repetition

  constructor(options: SweeperOptions) {
    this.#options = options
    this.#looks = new Repetition({
      run: (signal) => this.#sweep(signal),
      onError: (error) =>
        options.log.warn({ event: 'not-swept', err: error }, 'outboxes of dead nodes cannot be claimed'),
      intervalMs: options.intervalMs ?? 1000,
      jitter: 0.1,
    })
  }

  /** Once only. */
  start(): void {
    this.#looks.start()
  }

  /** Waits for the claim under way. Idempotent. */
  close(): Promise<void> {
    return this.#looks.close()
  }

  /** Claims until there is nothing left, or no room for it. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const { outbox, lease, log, batchSize = 500 } = this.#options
    let total = 0
    let claimed = batchSize
    while (claimed === batchSize && lease.isHeld && !signal.aborted) {
      claimed = await outbox.claim(batchSize)
      total += claimed
    }
    if (total > 0) log.info({ event: 'claimed', rows: total }, 'took over what a dead node had not relayed')
  }
}
