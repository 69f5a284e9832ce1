import type { Broker } from '../../broker/broker.ts'
import { Repetition } from '../../lib/repetition.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { Log } from '../../telemetry/log.ts'
import { mirrorCounts, mirrorGauge, type Metrics } from '../../telemetry/metrics.ts'
import { historyExport } from './history-export.ts'
import { ordersBulkStatus } from './orders-bulk-status.ts'
import { OperationRunner } from './operation-runner.ts'
import { Operations } from './operations.ts'

/** Events in memory that wait for the broker: beyond it operations store no more. */
const MAX_HELD = 2000
const TRIM_MS = 60_000
const TRIM_BATCH = 100
const DAY_MS = 86_400_000

export interface LongOperationsOptions {
  readonly store: Store
  readonly appender: StreamAppender
  readonly broker: Broker
  readonly log: Log
  readonly metrics: Metrics
  readonly nodeId: string
  readonly maySeeRoom: (user: string, room: string) => Promise<boolean>
  /** Stored events that wait for the broker. */
  readonly held: () => number
  /** How long an operation that has ended is kept, with its result. */
  readonly keepDays: number
}

/** Operations and what runs them on this node. */
export class LongOperations {
  readonly operations: Operations
  readonly #runner: OperationRunner
  readonly #trims: Repetition

  constructor(options: LongOperationsOptions) {
    const { store, log, metrics, keepDays } = options
    const kinds = [historyExport(options), ordersBulkStatus(options)]
    const runner = new OperationRunner({ ...options, kinds, isHeldUp: () => options.held() > MAX_HELD })
    this.operations = new Operations({ ...options, kinds, onQueued: () => runner.announce() })
    this.#runner = runner
    this.#trims = new Repetition({
      run: () => store.operations.trim(new Date(Date.now() - keepDays * DAY_MS).toISOString(), TRIM_BATCH),
      onError: (error) =>
        log.warn({ event: 'not-trimmed', err: error }, 'operations that ended cannot be removed'),
      intervalMs: TRIM_MS,
      jitter: 0.5,
    })
    mirrorGauge(metrics, 'operations_running', 'operations that run on this node', () => runner.running)
    mirrorCounts(metrics, 'operation', 'what became of operations on this node', runner.counters)
    mirrorCounts(metrics, 'operation_request', 'what was asked of operations here', this.operations.counters)
  }

  start(): void {
    this.#runner.start()
    this.#trims.start()
  }

  /** Before what stores events. Idempotent; never rejects. */
  async close(): Promise<void> {
    await Promise.all([this.#runner.close(), this.#trims.close()])
  }
}
