import { backoffMs } from '../lib/backoff.ts'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { Fifo } from '../lib/fifo.ts'

export interface LanesOptions<T> {
  /** Publishes one item. Rejects when the broker did not take it. */
  publish(item: T): Promise<void>
  /** Items with equal names are published in order. */
  laneOf(item: T): string
  /** The item, and all before it in its lane, are with the broker or were given up. Must not throw. */
  onDone(item: T): void
  /** After this failure the item is tried again only so often. */
  isRefusal(error: unknown): boolean
  onGivenUp(item: T, error: unknown): void
  /** Publishes under way at once. */
  readonly window: number
  readonly maxRefusals: number
  readonly retryBaseMs: number
  readonly retryMaxMs: number
}

interface Entry<T> {
  readonly item: T
  state: 'waiting' | 'flying' | 'confirmed' | 'failed'
  refusals: number
  error: unknown
}

interface Lane<T> {
  /** From the first one not confirmed to the last one published; later ones may be confirmed. */
  published: Entry<T>[]
  flying: number
  hasFailed: boolean
  /** What failed and came after a failure, the confirmed ones in between in their place. */
  parked: Entry<T>[]
  attempt: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Publishes many addresses at once and each in order. After a failure a lane stands still until all it
 * has under way is settled, waits, and publishes again what was not confirmed, from the first failed
 * item on and in order. Other lanes do not notice.
 *
 * What was confirmed is not repeated. So where 1 fails while 2 and 3 are under way and succeed, a
 * subscriber hears `2 3 1`: each once, and 1 late, as its offset tells. To repeat 2 and 3 behind it
 * would not undo that, and would double them, at each further failure again. An item is heard twice
 * only where the broker had it and its confirmation was lost or not yet noted: at least once.
 *
 * Holds what `push` gave it; its caller bounds that by `held`.
 */
export class Lanes<T> {
  readonly #options: LanesOptions<T>
  readonly #lanes = new Map<string, Lane<T>>()
  readonly #queue = new Fifo<Entry<T>>()
  /** Goes before the queue: lanes that begin again. */
  readonly #again = new Fifo<Entry<T>>()
  #flying = 0
  #held = 0
  #isClosing = false
  #idle: Deferred<void> | undefined

  constructor(options: LanesOptions<T>) {
    this.#options = options
  }

  /** Items that are not done. */
  get held(): number {
    return this.#held
  }

  push(item: T): void {
    this.#held += 1
    this.#queue.push({ item, state: 'waiting', refusals: 0, error: undefined })
    this.#dispatch()
  }

  /** Resolves when nothing is under way and what is left waits for a retry that will not come. */
  close(): Promise<void> {
    this.#isClosing = true
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer)
    this.#idle ??= deferred()
    this.#settleIdle()
    return this.#idle.promise
  }

  #dispatch(): void {
    while (this.#flying < this.#options.window) {
      const entry = this.#again.shift() ?? this.#queue.shift()
      if (entry === undefined) return
      const name = this.#options.laneOf(entry.item)
      const lane = this.#lane(name)
      if (lane.hasFailed) lane.parked.push(entry)
      else if (entry.state === 'confirmed') this.#pass(entry, lane, name)
      else void this.#fly(entry, lane, name)
    }
  }

  #lane(name: string): Lane<T> {
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { published: [], flying: 0, hasFailed: false, parked: [], attempt: 0, timer: undefined }
      this.#lanes.set(name, lane)
    }
    return lane
  }

  /** An item that the broker has already, between others that it is about to get. */
  #pass(entry: Entry<T>, lane: Lane<T>, name: string): void {
    lane.published.push(entry)
    this.#finishConfirmed(lane)
    if (lane.published.length === 0) this.#lanes.delete(name)
  }

  async #fly(entry: Entry<T>, lane: Lane<T>, name: string): Promise<void> {
    entry.state = 'flying'
    lane.published.push(entry)
    lane.flying += 1
    this.#flying += 1
    try {
      await this.#options.publish(entry.item)
      entry.state = 'confirmed'
    } catch (error) {
      entry.state = 'failed'
      entry.error = error
      if (this.#options.isRefusal(error)) entry.refusals += 1
      lane.hasFailed = true
    }
    this.#landed(lane, name)
  }

  #landed(lane: Lane<T>, name: string): void {
    lane.flying -= 1
    this.#flying -= 1
    this.#finishConfirmed(lane)
    if (lane.hasFailed && lane.flying === 0) this.#rewind(lane, name)
    else if (lane.published.length === 0) this.#lanes.delete(name)
    this.#dispatch()
    this.#settleIdle()
  }

  #finishConfirmed(lane: Lane<T>): void {
    let count = 0
    while (lane.published[count]?.state === 'confirmed') count += 1
    if (count === 0) return
    lane.attempt = 0
    for (const entry of lane.published.splice(0, count)) this.#done(entry)
  }

  #rewind(lane: Lane<T>, name: string): void {
    lane.published = lane.published.filter((entry) => !this.#isGivenUp(entry))
    this.#finishConfirmed(lane)
    lane.parked = [...lane.published, ...lane.parked]
    lane.published = []
    if (this.#isClosing) return
    const delayMs = backoffMs(lane.attempt, this.#options.retryBaseMs, this.#options.retryMaxMs)
    lane.attempt += 1
    lane.timer = setTimeout(() => this.#retry(lane, name), delayMs)
  }

  #isGivenUp(entry: Entry<T>): boolean {
    if (entry.state !== 'failed' || entry.refusals < this.#options.maxRefusals) return false
    this.#options.onGivenUp(entry.item, entry.error)
    this.#done(entry)
    return true
  }

  #retry(lane: Lane<T>, name: string): void {
    lane.hasFailed = false
    const entries = lane.parked
    lane.parked = []
    for (const entry of entries) this.#again.push(entry)
    if (entries.length === 0) this.#lanes.delete(name)
    this.#dispatch()
  }

  #done(entry: Entry<T>): void {
    this.#held -= 1
    this.#options.onDone(entry.item)
  }

  #settleIdle(): void {
    const isIdle = this.#flying === 0 && this.#queue.size === 0 && this.#again.size === 0
    if (isIdle) this.#idle?.resolve()
  }
}
