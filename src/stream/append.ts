import { MessageError } from '../errors.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { BatchPause } from './batch-pause.ts'
import { eventIdOf } from './event-id-of.ts'
import type { Retention } from './event-row.ts'
import type { Outbox } from './outbox.ts'
import { requestKey, type RepeatableRequest } from './request-key.ts'
import type { StreamCounters } from './stream-counters.ts'
import { writeBatch, type BatchedWrite, type Outcome, type Write } from './write-batch.ts'

export interface Appended<R> {
  readonly result: R
  /** In the order of the events. */
  readonly eventIds: readonly string[]
  /** Nothing was stored: `result` and `eventIds` are those of the first request. */
  readonly isRepeat: boolean
}

export interface AppendOptions {
  /**
   * What the write answers, if that may be repeated: within 24 hours of the first one an equal request
   * stores nothing and is answered as the first was, whatever it says. `result` must be a JSON value then.
   */
  readonly request?: RepeatableRequest | undefined
}

/** One batch that was committed. */
export interface CommittedBatch {
  readonly writes: number
  readonly events: number
  /** From the beginning of the transaction to its end. */
  readonly commitMs: number
}

export interface StreamAppenderOptions {
  readonly store: Pick<Store, 'transact' | 'epoch'>
  /** Gets what was committed, in commit order, and hears when that is in doubt. */
  readonly relay: Pick<Outbox, 'push' | 'recheck'>
  /** Told of each batch that could not be stored, with the cause. */
  readonly log?: Pick<Log, 'error'>
  /** Told of each batch that was stored. Must not throw. */
  readonly onBatch?: (batch: CommittedBatch) => void
  readonly counters?: Pick<StreamCounters, 'repeats'>
  /** Default: 7 days for streams of users, 30 for others. */
  readonly retention?: Retention
  readonly now?: () => Date
  /** Writes in one transaction. Default 256. */
  readonly maxBatch?: number
  /** Writes that wait for theirs; beyond it `too-many-pending`. Default 10,000. */
  readonly maxWaiting?: number
  /** How long a batch waits at most until it is as large as the last one, in milliseconds. Default 5. */
  readonly maxPauseMs?: number
}

interface Call extends BatchedWrite {
  readonly done: Deferred<Appended<unknown>>
}

/**
 * Group commit (ARCHITECTURE, "Streams"): what arrives in a turn, while the last commit runs and in the
 * pause after it, is one transaction, so that its fsync is paid once.
 */
export class StreamAppender {
  readonly #options: StreamAppenderOptions
  readonly #counters: Pick<StreamCounters, 'repeats'>
  readonly #retention: Retention
  readonly #now: () => Date
  readonly #maxBatch: number
  readonly #maxWaiting: number
  readonly #pause: BatchPause
  #waiting: Call[] = []
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(options: StreamAppenderOptions) {
    this.#options = options
    this.#counters = options.counters ?? { repeats: 0 }
    this.#retention = options.retention ?? { userDays: 7, days: 30 }
    this.#now = options.now ?? (() => new Date())
    this.#maxBatch = options.maxBatch ?? 256
    this.#maxWaiting = options.maxWaiting ?? 10_000
    this.#pause = new BatchPause(options.maxPauseMs ?? 5)
  }

  /**
   * Stores what `write` stages, and the events it answers, all or nothing; then they are relayed.
   * Resolves after the commit. Events of one stream get their offsets in the order of calls.
   *
   * `write` runs inside the transaction, after those called before it, and may wait for nothing but
   * that transaction. It runs again where the database gave the first transaction up, so it must have
   * no effect but on `tx`; and not at all where `request` is a repetition. When it rejects, what it
   * staged is dropped and only this call rejects, with the same error. When the commit fails, every
   * call of the batch rejects with what the store says (`store-unavailable`), or with `internal` where
   * the fault is ours.
   * Rejects with `too-many-pending` when too many calls wait, with `invalid-payload` when a payload
   * is no JSON.
   */
  append<R>(
    write: (tx: StoreTransaction) => Promise<Write<R>>,
    { request }: AppendOptions = {},
  ): Promise<Appended<R>> {
    if (this.#isClosed) return Promise.reject(new MessageError('store-unavailable', 'shutting down'))
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new MessageError('too-many-pending', 'too many writes are waiting'))
    }
    const done = deferred<Appended<unknown>>()
    this.#waiting.push({ write, key: request === undefined ? undefined : requestKey(request), done })
    this.#pause.grew(this.#waiting.length)
    this.#running ??= this.#run()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the result of this write or of an equal request's
    return done.promise as Promise<Appended<R>>
  }

  /** Takes no more; resolves when all that was called is stored or has failed. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#pause.end()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#pause.wait(this.#waiting.length)
      // The loop reads sockets before this fires: that is what fills the next batch.
      await new Promise((resolve) => setImmediate(resolve))
      const batch = this.#waiting.slice(0, this.#maxBatch)
      this.#pause.began(batch.length)
      this.#waiting = this.#waiting.slice(this.#maxBatch)
      await this.#commit(batch)
    }
    this.#running = undefined
  }

  async #commit(batch: readonly Call[]): Promise<void> {
    const { store, relay, log, onBatch } = this.#options
    const beganAt = performance.now()
    try {
      const { outcomes, outbox } = await store.transact((tx) => this.#write(tx, batch))
      onBatch?.({ writes: batch.length, events: outbox.length, commitMs: performance.now() - beganAt })
      relay.push(outbox)
      // Not before: what failed may have succeeded when the transaction ran again.
      for (const { of, outcome } of outcomes) this.#settle(of, outcome)
    } catch (cause) {
      const error = toMessageError(cause)
      relay.recheck()
      log?.error(
        { event: 'commit-failed', writes: batch.length, err: error },
        'a batch of writes could not be stored',
      )
      for (const { done } of batch) done.reject(error)
    }
  }

  #write(tx: StoreTransaction, batch: readonly Call[]) {
    const { epoch } = this.#options.store
    return writeBatch(tx, batch, {
      at: this.#now(),
      retention: this.#retention,
      eventId: (event) => eventIdOf(epoch, event),
    })
  }

  #settle({ done }: Call, outcome: Outcome): void {
    if (outcome instanceof Error) {
      done.reject(outcome)
      return
    }
    if (outcome.isRepeat) this.#counters.repeats += 1
    done.resolve(outcome)
  }
}

/** What the store refuses has its own code. Anything else is a bug of ours, which no retry cures. */
function toMessageError(cause: unknown): MessageError {
  if (cause instanceof MessageError) return cause
  return new MessageError('internal', 'the message could not be stored', { cause })
}
