import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { MessageError } from '../../errors.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { OperationRow } from '../../store/operations.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Chunk, OperationKind, OperationWork } from './operation-kind.ts'
import { operationEvent, type OperationError } from './operation-status.ts'

/** Of one operation, and so of one user, at most 10 events a second, its beginning and end among them. */
const PROGRESS_MS = 125
/** The same chunk failing so often for its own sake fails the operation. */
const MAX_FAILURES = 3
const RETRY_MS = 100
const MAX_RETRY_MS = 5000
/** How often it is looked whether what was stored has been relayed. */
const HOLD_MS = 20

export interface OperationRunParts {
  readonly appender: Pick<StreamAppender, 'append'>
  readonly log: Pick<Log, 'warn' | 'error'>
  readonly leaseMs: number
  /** Too much of what was stored waits to be relayed: more would hold up everybody's messages. */
  readonly isHeldUp: () => boolean
}

/** How a run ended: it is somebody else's, it was told to stop, or as the state says. */
export type RunEnd = 'lost' | 'stopped' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

type StepEnd = 'goes-on' | Exclude<RunEnd, 'stopped'>

/** Nobody else writes to the row but to ask for its cancelling: so every transaction looks who has it. */
export class OperationRun {
  /** When the lease was last renewed, at least: by the monotonic clock, milliseconds. */
  renewedAtMs = performance.now()
  readonly #parts: OperationRunParts
  readonly #claimed: OperationRow
  readonly #stopping = new AbortController()
  #toldAtMs = performance.now()
  #chunks = 0
  /** Where the next chunk begins, as it is stored. */
  #checkpoint: unknown = null

  constructor(parts: OperationRunParts, claimed: OperationRow) {
    this.#parts = parts
    this.#claimed = claimed
  }

  get id(): string {
    return this.#claimed.id
  }

  get run(): string {
    return this.#claimed.run ?? ''
  }

  /** Chunks that were stored. */
  get chunks(): number {
    return this.#chunks
  }

  /** After the chunk under way. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Does what is left to do. Never rejects. */
  async work(kind: OperationKind | undefined): Promise<RunEnd> {
    for (let failures = 0, attempt = 0; ; attempt++) {
      const chunksBefore = this.#chunks
      try {
        return await this.#goOn(kind)
      } catch (error) {
        if (this.#stopping.signal.aborted) return 'stopped'
        if (this.#chunks > chunksBefore) failures = attempt = 0
        if (!isPassing(error)) failures += 1
        const end = await this.#failed(error, { attempt, isLast: failures >= MAX_FAILURES })
        if (end !== undefined) return end
      }
      if (!(await this.#pause(backoffMs(attempt, RETRY_MS, MAX_RETRY_MS)))) return 'stopped'
    }
  }

  async #goOn(kind: OperationKind | undefined): Promise<RunEnd> {
    if (kind === undefined) throw new MessageError('invalid-payload', 'this node does not know the type')
    const checked = kind.parse(this.#claimed.params)
    await checked.allow(this.#claimed.user)
    const work = checked.work(this.#claimed.user)
    let end = await this.#begin(work)
    while (end === 'goes-on') {
      if (!(await this.#mayGoOn())) return 'stopped'
      end = await this.#step(await work.next(this.#checkpoint))
    }
    return end
  }

  /** Counts, where nobody has yet. */
  async #begin(work: OperationWork): Promise<StepEnd> {
    const total = this.#claimed.total ?? (await work.count())
    return this.#change((row) => ({ row: { ...row, total: row.total ?? total }, events: [] }))
  }

  async #step(chunk: Chunk): Promise<StepEnd> {
    const isTold = performance.now() - this.#toldAtMs >= PROGRESS_MS
    const end = await this.#change(async (row, tx) => {
      const { events, done, checkpoint, isLast, result } = await chunk(tx)
      if (result !== undefined) tx.operations.addResult(row.id, row.parts, result)
      const sum = row.done + done
      const next: OperationRow = {
        ...row,
        checkpoint,
        done: sum,
        // What came while it ran is done as well; at the end all is.
        total: isLast ? sum : Math.max(row.total ?? 0, sum),
        parts: row.parts + (result === undefined ? 0 : 1),
        attempts: 0,
        ...(isLast && { state: 'SUCCEEDED', endedAt: new Date().toISOString() }),
      }
      return { row: next, events: isTold && !isLast ? [...events, operationEvent(next)] : events }
    })
    if (end === 'goes-on' || end === 'SUCCEEDED') this.#chunks += 1
    if (isTold) this.#toldAtMs = performance.now()
    return end
  }

  /** Undefined where it may go on yet. */
  async #failed(
    error: unknown,
    { attempt, isLast }: { readonly attempt: number; readonly isLast: boolean },
  ): Promise<RunEnd | undefined> {
    const { log } = this.#parts
    const { id } = this
    log.warn({ event: 'operation-interrupted', id, attempt, err: error }, 'an operation could not go on')
    const reason = reasonOf(error)
    return reason === undefined && !isLast ? undefined : this.#fail(reason ?? this.#internal(error))
  }

  /** Undefined where that cannot be stored now. */
  async #fail(error: OperationError): Promise<RunEnd | undefined> {
    const endedAt = new Date().toISOString()
    try {
      const end = await this.#change((row) => ({
        row: { ...row, error, state: 'FAILED', endedAt },
        events: [],
      }))
      return end === 'goes-on' ? undefined : end
    } catch (failure) {
      this.#parts.log.warn(
        { event: 'operation-not-ended', id: this.id, err: failure },
        'the end of an operation could not be stored',
      )
      return undefined
    }
  }

  /**
   * One transaction, on the row as it is now: where it is another run's, nothing is changed; where it is to
   * be cancelled, it is, instead.
   */
  async #change(
    change: (row: OperationRow, tx: StoreTransaction) => Changed | Promise<Changed>,
  ): Promise<StepEnd> {
    const beganAtMs = performance.now()
    const { result } = await this.#parts.appender.append(async (tx) => {
      const found = await tx.operations.find(this.id)
      if (found === null || found.run !== this.run || found.state !== 'RUNNING') {
        return { events: [], result: undefined }
      }
      const { row, events } = found.isCancelRequested
        ? { row: cancelled(found), events: [] }
        : await change(found, tx)
      tx.operations.save(row, this.#parts.leaseMs)
      return { events: row.state === 'RUNNING' ? events : [...events, operationEvent(row)], result: row }
    })
    if (result === undefined) return 'lost'
    this.renewedAtMs = beganAtMs
    this.#checkpoint = result.checkpoint
    return result.state === 'RUNNING' || result.state === 'QUEUED' ? 'goes-on' : result.state
  }

  /** Lets others have their turn, and what was stored be relayed. */
  async #mayGoOn(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#parts.isHeldUp()) if (!(await this.#pause(HOLD_MS))) return false
    return !this.#stopping.signal.aborted
  }

  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopping
    await delay(ms, undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }

  #internal(error: unknown): OperationError {
    const errorId = randomUUID()
    this.#parts.log.error(
      { event: 'operation-failed', id: this.id, errorId, err: error },
      'an operation failed for a fault of ours',
    )
    return { code: 'internal', message: `internal error ${errorId}` }
  }
}

interface Changed {
  readonly row: OperationRow
  readonly events: readonly NewEvent[]
}

export function cancelled(row: OperationRow): OperationRow {
  return { ...row, state: 'CANCELLED', endedAt: new Date().toISOString() }
}

/** It is nobody's fault, and will be over. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof MessageError && (error.code === 'store-unavailable' || error.code === 'too-many-pending')
  )
}

/** What the type refuses to do will not be done the next time either. */
function reasonOf(error: unknown): OperationError | undefined {
  if (!(error instanceof MessageError) || isPassing(error) || error.code === 'internal') return undefined
  return { code: error.code, message: error.message }
}
