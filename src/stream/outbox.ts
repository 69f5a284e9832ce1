import type { Broker } from '../broker/broker.ts'
import { MessageError } from '../errors.ts'
import { backoffMs } from '../lib/backoff.ts'
import { deferred } from '../lib/deferred.ts'
import { within } from '../lib/within.ts'
import type { OutboxRow, Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { eventIdOf } from './event-id-of.ts'
import { Lanes } from './lanes.ts'
import { rowAddress } from './row-address.ts'
import type { StreamCounters } from './stream-counters.ts'

export interface OutboxOptions {
  readonly store: Pick<Store, 'outbox' | 'epoch'>
  readonly broker: Pick<Broker, 'publish'>
  readonly log: Pick<Log, 'warn'>
  readonly counters?: Pick<StreamCounters, 'relayed' | 'givenUp' | 'claimed'>
  /** Publishes without confirmation at once. Default 1,000. */
  readonly window?: number
  /** Rows in memory; beyond it they are read from the table again when their turn comes. Default 10,000. */
  readonly maxHeld?: number
  /** Rows read at once. Default 500. */
  readonly pageSize?: number
  /** Confirmed rows are removed together after this time, as each removal costs an fsync. Default 100. */
  readonly removeDelayMs?: number
  /** The same event refused by the broker so often is given up: the log has it. Default 5. */
  readonly maxRefusals?: number
  readonly retryBaseMs?: number
  readonly retryMaxMs?: number
  /** A commit whose answer was lost is done after this time, if it ever is. Default 10,000. */
  readonly doubtMs?: number
  /** How long `close` waits for confirmations. Default 5,000. */
  readonly closeTimeoutMs?: number
}

/**
 * Relays what was committed, in commit order for each address, at least once: a row goes when the
 * broker has confirmed it and all before it of its address. What an earlier process left behind
 * comes first, and what a dead node left is taken over at once when it is claimed. While the broker is
 * away rows wait in the table, and nothing is lost.
 *
 * Another node may claim the rows of this one where the database was away for longer than the lease.
 * Then both relay them and both remove them: subscribers know by the event id what they had.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #maxHeld: number
  readonly #pageSize: number
  readonly #lanes: Lanes<OutboxRow>
  readonly #counters: Pick<StreamCounters, 'relayed' | 'givenUp' | 'claimed'>
  /** Rows taken that are not yet removed, by `seq`: claimed ones stand anywhere among our own. */
  readonly #taken = new Set<number>()
  /** Room for rows that are being read or claimed. */
  #reserved = 0
  /** What is being read or claimed: it may bring rows that are removed meanwhile. */
  readonly #looks = new Set<Promise<void>>()
  /** Up to here rows were taken into memory. */
  #tailSeq = 0
  /** Up to here rows are known to exist. */
  #newestSeq = 0
  /** The table holds rows after `#tailSeq` that were not taken. */
  #isBehind = true
  /** The table may hold rows before `#tailSeq` that were not taken. */
  #isInDoubt = false
  #hasStarted = false
  #isClosed = false
  #reading: Promise<void> | undefined
  #confirmed: number[] = []
  #removing: Promise<void> | undefined
  #storeAttempt = 0
  #readTimer: NodeJS.Timeout | undefined
  #removeTimer: NodeJS.Timeout | undefined
  #doubtTimer: NodeJS.Timeout | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#maxHeld = options.maxHeld ?? 10_000
    this.#counters = options.counters ?? { relayed: 0, givenUp: 0, claimed: 0 }
    this.#pageSize = Math.max(1, Math.min(options.pageSize ?? 500, Math.floor(this.#maxHeld / 2)))
    this.#lanes = new Lanes<OutboxRow>({
      publish: (row) => this.#publish(row),
      laneOf: (row) => row.stream,
      onDone: (row) => this.#onDone(row),
      isRefusal: (error) => error instanceof MessageError && error.code !== 'broker-unavailable',
      onGivenUp: (row, error) => {
        const { stream, offset } = row
        this.#counters.givenUp += 1
        options.log.warn(
          { event: 'relay-given-up', stream, offset, err: error },
          'the broker refuses an event',
        )
      },
      window: options.window ?? 1000,
      maxRefusals: options.maxRefusals ?? 5,
      retryBaseMs: options.retryBaseMs ?? 50,
      retryMaxMs: options.retryMaxMs ?? 2000,
    })
  }

  /** Rows in memory that the broker has not confirmed: for the metric. */
  get held(): number {
    return this.#lanes.held
  }

  /** Begins to relay. Resolves when the first rows left behind were read; rejects when they cannot be. */
  async start(): Promise<void> {
    await this.#readPage()
    this.#hasStarted = true
    this.#catchUp()
  }

  /** Takes what was just committed, in commit order. Never throws. */
  push(rows: readonly OutboxRow[]): void {
    if (this.#isClosed) return
    for (const row of rows) {
      if (row.seq > this.#newestSeq) this.#newestSeq = row.seq
      if (row.seq <= this.#tailSeq) continue
      if (this.#isBehind || this.#room <= 0) this.#isBehind = true
      else this.#takeOwn(row)
    }
    this.#catchUp()
  }

  /**
   * Hears that a transaction failed. It may have been committed all the same, where the database was lost
   * before it answered: so what nobody pushed is looked for in the table, now and once more later.
   */
  recheck(): void {
    if (this.#isClosed) return
    this.#lookAgain()
    this.#doubtTimer ??= setTimeout(() => {
      this.#doubtTimer = undefined
      this.#lookAgain()
    }, this.#options.doubtMs ?? 10_000)
  }

  /**
   * Claims rows of dead nodes, at most `limit` and as many as there is room for, and relays them.
   * Answers how many. Rejects with `store-unavailable`.
   */
  async claim(limit: number): Promise<number> {
    const wanted = Math.min(limit, this.#room)
    if (wanted <= 0 || this.#isClosed) return 0
    try {
      return await this.#look(wanted, async () => {
        const rows = await this.#options.store.outbox.claim(wanted)
        this.#counters.claimed += rows.length
        // After closing they wait, as ours, for whoever comes next.
        if (!this.#isClosed) for (const row of rows) this.#take(row)
        return rows.length
      })
    } catch (error) {
      this.recheck()
      throw error
    } finally {
      this.#catchUp()
    }
  }

  /** Takes no more and waits, within a bound, for what is under way. The rest stays in the table. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#readTimer)
    clearTimeout(this.#doubtTimer)
    await within(this.#lanes.close(), this.#options.closeTimeoutMs ?? 5000, tooLate).catch(() => {})
    await this.#reading
    clearTimeout(this.#removeTimer)
    await this.#removing
    await this.#remove()
    clearTimeout(this.#removeTimer)
  }

  get #room(): number {
    return this.#maxHeld - this.#lanes.held - this.#reserved
  }

  #takeOwn(row: OutboxRow): void {
    this.#tailSeq = row.seq
    this.#take(row)
  }

  /** A row that was claimed may have been read from the table meanwhile, and the other way round. */
  #take(row: OutboxRow): void {
    if (this.#taken.has(row.seq)) return
    this.#taken.add(row.seq)
    this.#lanes.push(row)
  }

  async #publish(row: OutboxRow): Promise<void> {
    const address = rowAddress(row)
    await this.#options.broker.publish(
      {
        address,
        headers: row.headers,
        body: Buffer.from(row.body),
        persistent: true,
        eventId: eventIdOf(this.#options.store.epoch, row),
      },
      { patient: true },
    )
    this.#counters.relayed += 1
  }

  #lookAgain(): void {
    this.#isInDoubt = true
    this.#isBehind = true
    this.#catchUp()
  }

  #catchUp(): void {
    const isDue = this.#isBehind && this.#hasStarted && !this.#isClosed && this.#room * 2 >= this.#maxHeld
    if (!isDue || this.#reading !== undefined || this.#readTimer !== undefined) return
    this.#reading = this.#readPage().then(
      () => this.#afterRead(undefined),
      (error: unknown) => this.#afterRead(error),
    )
  }

  #afterRead(error: unknown): void {
    this.#reading = undefined
    if (error === undefined) {
      this.#storeAttempt = 0
      this.#catchUp()
      return
    }
    this.#options.log.warn({ event: 'outbox-unreadable', err: error }, 'the outbox cannot be read')
    if (this.#isClosed) return
    this.#readTimer = setTimeout(() => {
      this.#readTimer = undefined
      this.#catchUp()
    }, this.#retryMs())
  }

  async #readPage(): Promise<void> {
    const newestSeq = this.#newestSeq
    if (this.#isInDoubt) this.#tailSeq = 0
    this.#isInDoubt = false
    await this.#look(this.#pageSize, async () => {
      const rows = await this.#options.store.outbox.pending(this.#tailSeq, this.#pageSize)
      if (this.#isClosed) return
      for (const row of rows) this.#takeOwn(row)
      const isEnd = rows.length < this.#pageSize
      // What was committed before and is not in the table went to a node that claimed it.
      if (isEnd) this.#tailSeq = Math.max(this.#tailSeq, newestSeq)
      // What was committed while the table was read may be missing.
      this.#isBehind = !isEnd || this.#isInDoubt || this.#tailSeq < this.#newestSeq
    })
  }

  /** Keeps room for the rows that `work` takes, and what was taken in mind until it is done. */
  async #look<T>(places: number, work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = deferred()
    this.#looks.add(promise)
    this.#reserved += places
    try {
      return await work()
    } finally {
      this.#reserved -= places
      this.#looks.delete(promise)
      resolve()
    }
  }

  #onDone(row: OutboxRow): void {
    this.#confirmed.push(row.seq)
    if (!this.#isClosed) this.#scheduleRemoval(this.#options.removeDelayMs ?? 100)
    this.#catchUp()
  }

  #scheduleRemoval(delayMs: number): void {
    if (this.#removing !== undefined) return
    this.#removeTimer ??= setTimeout(() => {
      this.#removeTimer = undefined
      this.#removing = this.#remove().finally(() => {
        this.#removing = undefined
        if (this.#confirmed.length > 0 && !this.#isClosed) this.#scheduleRemoval(this.#retryMs())
      })
    }, delayMs)
  }

  async #remove(): Promise<void> {
    const seqs = this.#confirmed
    if (seqs.length === 0) return
    this.#confirmed = []
    try {
      await this.#options.store.outbox.remove(seqs)
      this.#storeAttempt = 0
      void this.#forget(seqs)
    } catch (error) {
      this.#confirmed = [...seqs, ...this.#confirmed]
      this.#storeAttempt += 1
      this.#options.log.warn({ event: 'outbox-not-trimmed', err: error }, 'relayed rows stay in the outbox')
    }
  }

  /** Whoever looked before they were removed may still bring them, and would relay them again. */
  async #forget(seqs: readonly number[]): Promise<void> {
    await Promise.all(this.#looks)
    for (const seq of seqs) this.#taken.delete(seq)
  }

  #retryMs(): number {
    const { removeDelayMs, retryBaseMs, retryMaxMs } = this.#options
    const jitterMs = backoffMs(this.#storeAttempt, retryBaseMs ?? 50, retryMaxMs ?? 2000)
    return Math.max(removeDelayMs ?? 100, jitterMs)
  }
}

function tooLate(): Error {
  return new Error('the broker did not confirm in time')
}
