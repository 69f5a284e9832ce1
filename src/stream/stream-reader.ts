import { streamEpoch } from '../../protocol/event-id.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { Fifo } from '../lib/fifo.ts'
import type { Store, StoredEvent } from '../store/store.ts'

// What readers of streams handle, named here because they see no further than this folder.
export type { StoredEvent }

export interface StreamReaderOptions {
  readonly store: Pick<Store, 'log' | 'epoch' | 'refreshEpoch'>
  /** Reads under way at once; the others wait their turn. Default 8. */
  readonly maxReads?: number
  /** Streams asked for in one question about heads. Default 1,000. */
  readonly headsPerQuestion?: number
  /** The epoch is asked for at most so often, milliseconds. Default 1,000. */
  readonly epochIntervalMs?: number
}

/**
 * What the fan-out and those who resume read of the streams: heads, asked for together once a turn,
 * and events, a bounded number of reads at a time, so that a crowd that comes back at once does not
 * crowd out the writers.
 */
export class StreamReader {
  readonly #store: StreamReaderOptions['store']
  readonly #maxReads: number
  readonly #headsPerQuestion: number
  readonly #epochIntervalMs: number
  readonly #waiting = new Fifo<Deferred<void>>()
  #reads = 0
  #asked: { readonly streams: Map<string, number>; readonly heads: Promise<readonly number[]> } | undefined
  #refreshing: Promise<unknown> | undefined

  constructor(options: StreamReaderOptions) {
    this.#store = options.store
    this.#maxReads = options.maxReads ?? 8
    this.#headsPerQuestion = options.headsPerQuestion ?? 1000
    this.#epochIntervalMs = options.epochIntervalMs ?? 1000
  }

  /** What event ids of this stream begin with. */
  epochOf(stream: string): string {
    return streamEpoch(this.#store.epoch, stream)
  }

  /** The last offset given, asked for after this call. @throws MessageError `store-unavailable` */
  async head(stream: string): Promise<number> {
    if (this.#asked === undefined) {
      const streams = new Map<string, number>()
      this.#asked = { streams, heads: this.#askNextTurn(streams) }
    }
    const { streams, heads } = this.#asked
    const place = streams.get(stream) ?? streams.size
    streams.set(stream, place)
    return (await heads)[place] ?? 0
  }

  /** Likewise of many, in their order. */
  async heads(streams: readonly string[]): Promise<readonly number[]> {
    const heads: number[] = []
    for (let from = 0; from < streams.length; from += this.#headsPerQuestion) {
      const names = streams.slice(from, from + this.#headsPerQuestion)
      const answer = await this.#inTurn(() => this.#store.log.heads(names))
      for (const name of names) heads.push(answer.get(name) ?? 0)
    }
    return heads
  }

  /** Events with greater offsets, ascending, beginning with the first one kept. @throws as `head` */
  read(stream: string, afterOffset: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.#inTurn(() => this.#store.log.read(stream, afterOffset, limit))
  }

  /** Asks the store which epoch is current, for all who ask now or a moment later. @throws as `head` */
  async refreshEpoch(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#store.refreshEpoch()
      const forget = (): void => {
        this.#refreshing = undefined
      }
      this.#refreshing.then(() => setTimeout(forget, this.#epochIntervalMs).unref(), forget)
    }
    await this.#refreshing
  }

  async #askNextTurn(streams: ReadonlyMap<string, number>): Promise<readonly number[]> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#asked = undefined
    return this.heads([...streams.keys()])
  }

  async #inTurn<R>(read: () => Promise<R>): Promise<R> {
    if (this.#reads >= this.#maxReads) {
      const turn = deferred()
      this.#waiting.push(turn)
      await turn.promise
    } else {
      this.#reads += 1
    }
    try {
      return await read()
    } finally {
      // The place goes to the one that waits longest.
      const next = this.#waiting.shift()
      if (next === undefined) this.#reads -= 1
      else next.resolve()
    }
  }
}
