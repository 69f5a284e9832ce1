import type { HeaderList } from '../../protocol/frame.ts'
import { formatEventId } from '../../protocol/event-id.ts'
import type { Address } from '../broker/broker.ts'
import { MessageError } from '../errors.ts'
import { deferred } from '../lib/deferred.ts'
import type { AppendedEvent, NewEventRow, OutboxRow, Store, StoreTransaction } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Outbox } from './outbox.ts'

export interface NewEvent {
  /** The destination that names the stream: `/topic/messages`, `/user/bob/queue/orders`. */
  readonly stream: string
  /** Where it is relayed once it is stored. */
  readonly address: Address
  /** Any JSON value. */
  readonly payload: unknown
}

export interface Write<R> {
  readonly events: readonly NewEvent[]
  readonly result: R
}

export interface Appended<R> {
  readonly result: R
  /** `EPOCH:OFFSET`, in the order of the events. */
  readonly eventIds: readonly string[]
}

export interface StreamAppenderOptions {
  readonly store: Pick<Store, 'transact' | 'epoch'>
  /** Gets what was committed, in commit order. */
  readonly relay: Pick<Outbox, 'push'>
  /** Told of each batch that could not be stored, with the cause. */
  readonly log?: Pick<Log, 'error'>
  readonly now?: () => Date
  /** Writes in one transaction. Default 256. */
  readonly maxBatch?: number
  /** Writes that wait for theirs; beyond it `too-many-pending`. Default 10,000. */
  readonly maxWaiting?: number
}

interface Call {
  run(tx: StoreTransaction, createdAt: string): Promise<readonly NewEventRow[]>
  resolve(appended: readonly AppendedEvent[]): void
  reject(error: Error): void
}

const JSON_HEADERS: HeaderList = ['content-type', 'application/json']

/**
 * Group commit (ARCHITECTURE, "Streams"): what arrives in a turn, and while the last commit runs, is
 * one transaction, so that its fsync is paid once.
 */
export class StreamAppender {
  readonly #options: StreamAppenderOptions
  readonly #now: () => Date
  readonly #maxBatch: number
  readonly #maxWaiting: number
  #waiting: Call[] = []
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(options: StreamAppenderOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
    this.#maxBatch = options.maxBatch ?? 256
    this.#maxWaiting = options.maxWaiting ?? 10_000
  }

  /**
   * Stores what `write` stages, and the events it answers, all or nothing; then they are relayed.
   * Resolves after the commit. Events of one stream get their offsets in the order of calls.
   *
   * `write` runs inside the transaction, after those called before it, and may wait for nothing but
   * that transaction. When it rejects, what it staged is dropped and only this call rejects, with the
   * same error. When the commit fails, every call of the batch rejects with what the store says
   * (`store-unavailable`), or with `internal` where the fault is ours.
   * Rejects with `too-many-pending` when too many calls wait, with `invalid-payload` when a payload
   * is no JSON.
   */
  append<R>(write: (tx: StoreTransaction) => Promise<Write<R>>): Promise<Appended<R>> {
    if (this.#isClosed) return Promise.reject(new MessageError('store-unavailable', 'shutting down'))
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new MessageError('too-many-pending', 'too many writes are waiting'))
    }
    const done = deferred<Appended<R>>()
    let result: { readonly value: R } | undefined
    this.#waiting.push({
      run: async (tx, createdAt) => {
        const written = await write(tx)
        result = { value: written.result }
        return written.events.map((event) => toRow(event, createdAt))
      },
      resolve: (appended) => {
        if (result === undefined) return
        const eventIds = appended.map(({ offset }) => formatEventId(this.#options.store.epoch, offset))
        done.resolve({ result: result.value, eventIds })
      },
      reject: (error) => done.reject(error),
    })
    this.#running ??= this.#run()
    return done.promise
  }

  /** Takes no more; resolves when all that was called is stored or has failed. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // The loop reads sockets before this fires: that is what fills the next batch.
      await new Promise((resolve) => setImmediate(resolve))
      const batch = this.#waiting.slice(0, this.#maxBatch)
      this.#waiting = this.#waiting.slice(this.#maxBatch)
      await this.#commit(batch)
    }
    this.#running = undefined
  }

  async #commit(batch: readonly Call[]): Promise<void> {
    try {
      const parts = await this.#options.store.transact((tx) => this.#write(tx, batch))
      this.#options.relay.push(parts.flatMap((part) => part.outbox))
      for (const part of parts) part.call.resolve(part.outbox)
    } catch (cause) {
      const error = toMessageError(cause)
      this.#options.log?.error(
        { event: 'commit-failed', writes: batch.length, err: error },
        'a batch of writes could not be stored',
      )
      for (const call of batch) call.reject(error)
    }
  }

  async #write(tx: StoreTransaction, batch: readonly Call[]) {
    const createdAt = this.#now().toISOString()
    const parts: { call: Call; rows: readonly NewEventRow[] }[] = []
    for (const call of batch) {
      try {
        parts.push({ call, rows: await tx.attempt(() => call.run(tx, createdAt)) })
      } catch (error) {
        call.reject(toError(error))
      }
    }
    const rows = parts.flatMap((part) => part.rows)
    const appended = rows.length === 0 ? [] : await tx.appendEvents(rows)
    const outbox = appended.map((event, i) => toOutbox(at(rows, i), event))
    let from = 0
    return parts.map(({ call, rows: own }) => {
      const part = { call, outbox: outbox.slice(from, from + own.length) }
      from += own.length
      return part
    })
  }
}

function toRow(event: NewEvent, createdAt: string): NewEventRow {
  return {
    stream: event.stream,
    address: event.address,
    headers: JSON_HEADERS,
    body: toJson(event.payload),
    createdAt,
  }
}

function toOutbox(row: NewEventRow, event: AppendedEvent): OutboxRow {
  const { stream, address, headers, body } = row
  return { seq: event.seq, stream, offset: event.offset, address, headers, body }
}

function toJson(payload: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(payload)
  } catch (cause) {
    throw new MessageError('invalid-payload', 'the payload is not JSON', { cause })
  }
  if (text === undefined) throw new MessageError('invalid-payload', 'the payload is not JSON')
  return text
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new MessageError('internal', 'the write failed', { cause: error })
}

/** What the store refuses has its own code. Anything else is a bug of ours, which no retry cures. */
function toMessageError(cause: unknown): MessageError {
  if (cause instanceof MessageError) return cause
  return new MessageError('internal', 'the message could not be stored', { cause })
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined)
    throw new MessageError('internal', 'the store answered more events than it was given')
  return item
}
