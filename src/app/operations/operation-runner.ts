import { randomUUID } from 'node:crypto'
import type { Broker } from '../../broker/broker.ts'
import { Repetition } from '../../lib/repetition.ts'
import type { OperationRow } from '../../store/operations.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { Log } from '../../telemetry/log.ts'
import type { OperationKind } from './operation-kind.ts'
import { cancelled, OperationRun, type RunEnd } from './operation-run.ts'
import { operationEvent } from './operation-status.ts'

const QUEUED = 'operation-queued'
/** So many nodes may end with an operation that got nowhere. */
const MAX_ATTEMPTS = 5

export interface OperationRunnerOptions {
  readonly store: Pick<Store, 'operations'>
  readonly appender: Pick<StreamAppender, 'append'>
  readonly broker: Pick<Broker, 'control' | 'onControl'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly nodeId: string
  readonly kinds: readonly OperationKind[]
  readonly isHeldUp: () => boolean
  /** Operations that run on this node at once. Default 2. */
  readonly maxRunning?: number
  /** How long an operation is a node's that does not say that it lives, milliseconds. Default 10,000. */
  readonly leaseMs?: number
  /** How often this node looks for operations that nobody runs, milliseconds. Default 1,000. */
  readonly pollMs?: number
}

/**
 * Runs operations that wait, and those whose nodes died, on this node. Nodes hear when there is one, and look by
 * themselves; the store gives each to one of them.
 */
export class OperationRunner {
  readonly counters = {
    claimed: 0,
    resumed: 0,
    chunks: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    lost: 0,
    stopped: 0,
  }
  readonly #options: OperationRunnerOptions
  readonly #kinds: ReadonlyMap<string, OperationKind>
  readonly #maxRunning: number
  readonly #leaseMs: number
  readonly #runs = new Map<OperationRun, Promise<void>>()
  readonly #looks: Repetition
  readonly #renewals: Repetition
  #stopListening: () => void = () => undefined
  #looking: Promise<void> | undefined
  #isWanted = false
  #isClosed = false

  constructor(options: OperationRunnerOptions) {
    this.#options = options
    this.#kinds = new Map(options.kinds.map((kind) => [kind.type, kind]))
    this.#maxRunning = options.maxRunning ?? 2
    this.#leaseMs = options.leaseMs ?? 10_000
    this.#looks = new Repetition({
      run: () => this.#look(),
      onError: (error) => this.#unwell(error),
      intervalMs: options.pollMs ?? 1000,
      jitter: 0.2,
    })
    this.#renewals = new Repetition({
      run: () => this.#renew(),
      onError: (error) => this.#unwell(error),
      intervalMs: this.#leaseMs / 4,
    })
  }

  /** How many run here. */
  get running(): number {
    return this.#runs.size
  }

  /** Once only. */
  start(): void {
    this.#stopListening = this.#options.broker.onControl(({ kind }) => {
      if (kind === QUEUED) this.#soon()
    })
    this.#looks.start()
    this.#renewals.start()
    this.#soon()
  }

  /** Tells all nodes that an operation waits. Never throws. */
  announce(): void {
    this.#soon()
    this.#options.broker.control({ kind: QUEUED, body: '' }).catch((error: unknown) =>
      // They look by themselves.
      this.#options.log.warn(
        { event: 'operation-not-announced', err: error },
        'nodes could not be told of an operation',
      ),
    )
  }

  /** Runs end after their chunks, and other nodes go on with them. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopListening()
    await this.#looks.close()
    await this.#looking
    for (const run of this.#runs.keys()) run.stop()
    await Promise.all(this.#runs.values())
    await this.#renewals.close()
  }

  #soon(): void {
    this.#look().catch((error: unknown) => this.#unwell(error))
  }

  /** One search at a time; who asks meanwhile has another one follow. */
  #look(): Promise<void> {
    this.#isWanted = true
    this.#looking ??= this.#search().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #search(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false
      while (!this.#isClosed && this.#runs.size < this.#maxRunning && (await this.#take())) continue
    }
  }

  /** Whether there was one. */
  async #take(): Promise<boolean> {
    // Seldom is there anything: so no transaction is begun for it.
    if (!(await this.#options.store.operations.hasClaimable())) return false
    const { result } = await this.#options.appender.append(async (tx) => {
      const found = await tx.operations.findClaimable()
      if (found === null) return { events: [], result: undefined }
      const row = claimedRow(found, this.#options.nodeId)
      tx.operations.save(row, this.#leaseMs)
      return { events: [operationEvent(row)], result: { row, isResumed: found.state === 'RUNNING' } }
    })
    if (result === undefined) return false
    const { row, isResumed } = result
    this.counters.claimed += 1
    if (isResumed) {
      this.counters.resumed += 1
      const { id, done, total } = row
      this.#options.log.info(
        { event: 'operation-resumed', id, done, total },
        'an operation of another node goes on',
      )
    }
    if (row.state === 'RUNNING') this.#begin(row)
    else this.#count(row.state === 'FAILED' ? 'FAILED' : 'CANCELLED')
    return true
  }

  #begin(row: OperationRow): void {
    const run = new OperationRun({ ...this.#options, leaseMs: this.#leaseMs }, row)
    this.#runs.set(run, this.#follow(run, this.#kinds.get(row.type)))
  }

  async #follow(run: OperationRun, kind: OperationKind | undefined): Promise<void> {
    const end = await run.work(kind)
    this.counters.chunks += run.chunks
    this.#count(end)
    if (end === 'stopped') await this.#giveBack(run)
    this.#runs.delete(run)
    if (!this.#isClosed) this.#soon()
  }

  #count(end: RunEnd): void {
    switch (end) {
      case 'SUCCEEDED':
        this.counters.succeeded += 1
        return
      case 'FAILED':
        this.counters.failed += 1
        return
      case 'CANCELLED':
        this.counters.cancelled += 1
        return
      case 'lost':
        this.counters.lost += 1
        return
      case 'stopped':
        this.counters.stopped += 1
    }
  }

  async #giveBack({ id, run }: OperationRun): Promise<void> {
    await this.#options.store.operations
      .renew(id, run, 0)
      .catch((error: unknown) =>
        this.#options.log.warn({ event: 'operation-not-given-back', id, err: error }, 'its lease runs out'),
      )
  }

  /** Those whose chunks take long: the others renew with each. */
  async #renew(): Promise<void> {
    for (const run of this.#runs.keys()) {
      const nowMs = performance.now()
      if (nowMs - run.renewedAtMs < this.#leaseMs / 4) continue
      if (await this.#options.store.operations.renew(run.id, run.run, this.#leaseMs)) run.renewedAtMs = nowMs
      else run.stop()
    }
  }

  #unwell(error: unknown): void {
    this.#options.log.warn(
      { event: 'operations-unreachable', err: error },
      'operations can neither be looked for nor kept',
    )
  }
}

/** What becomes of one that nobody runs. */
function claimedRow(found: OperationRow, node: string): OperationRow {
  if (found.isCancelRequested) return cancelled(found)
  const attempts = found.attempts + 1
  if (attempts > MAX_ATTEMPTS) {
    const message = `${MAX_ATTEMPTS} nodes ended while they ran it, and it did not get on`
    const endedAt = new Date().toISOString()
    return { ...found, state: 'FAILED', error: { code: 'internal', message }, endedAt }
  }
  const startedAt = found.startedAt ?? new Date().toISOString()
  return { ...found, state: 'RUNNING', node, run: randomUUID(), attempts, startedAt }
}
