import type { EncodedBatch } from '../../src/fanout/encoded-batch.ts'
import type { Subscriber } from '../../src/fanout/subscriber.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { Chance } from './chance.ts'
import { offsetOf } from './places.ts'

export interface SessionParts {
  readonly subscriptionId: string
  readonly chance: Chance
  /** How often the reader has to read first, while it is being replayed. */
  readonly slowness: number
  readonly onEvent: (offset: number, body: string) => void
  readonly onWait: () => void
  /** Called in the moment in which a slow reader has made room. */
  readonly onRoom: () => void
  readonly onFault: (what: string) => void
}

/** The end of one subscription: keeps which events came. */
export class Session implements Subscriber {
  readonly subscriptionId: string
  readonly version = '1.2'
  readonly offsets: number[] = []
  isReplaying = true
  readonly #parts: SessionParts
  readonly #gone = deferred()
  #state: 'open' | 'left' | 'cut' = 'open'

  constructor(parts: SessionParts) {
    this.subscriptionId = parts.subscriptionId
    this.#parts = parts
  }

  /** Resolves when the connection was cut. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** After it nothing may come. */
  left(): void {
    if (this.#state === 'open') this.#state = 'left'
  }

  /** Whatever is still sent is lost on the way. */
  cut(): void {
    this.#state = 'cut'
    this.#gone.resolve()
  }

  deliver(batch: EncodedBatch): void {
    if (this.#state === 'cut') return
    if (this.#state === 'left') this.#parts.onFault('was sent something after it had left')
    for (const { delivery } of batch.messages) {
      const offset = offsetOf(delivery.eventId)
      this.offsets.push(offset)
      this.#parts.onEvent(offset, Buffer.from(delivery.body).toString())
    }
  }

  room(): Promise<void> | undefined {
    const { chance, slowness, onWait } = this.#parts
    if (!chance.is(slowness)) return undefined
    onWait()
    return this.#makeRoom()
  }

  isGone(): boolean {
    return this.#state === 'cut'
  }

  async #makeRoom(): Promise<void> {
    await Promise.race([this.#parts.chance.while(), this.gone])
    this.#parts.onRoom()
  }
}
