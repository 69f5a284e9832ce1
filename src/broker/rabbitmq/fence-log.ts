/** One message of the inbox, as far as recovery is concerned. */
export interface InboxEntry {
  /** What acknowledges it on the current link. */
  readonly ackId: string
  readonly isRedelivered: boolean
  /** The number of a fence of ours. */
  readonly fence: number | undefined
  /** Equal for equal messages; computed only where it is needed. */
  hash(): string
}

export interface FenceLogOptions {
  /** After so many unacknowledged messages without a fence, a hash becomes the anchor: half the prefetch. */
  readonly maxUnacked: number
  /** Everything up to this message, on the current link, need not come again. */
  ackUpTo(ackId: string): void
  /** Messages before the one being judged may be gone. */
  onHole(): void
}

/** Where the part begins that is not acknowledged; `start` is the first message of the queue. */
type Anchor =
  | { readonly kind: 'start' }
  | { readonly kind: 'fence'; readonly number: number }
  | { readonly kind: 'hash'; readonly hash: string }

/** `seeking` waits for the anchor, `skipping` for the end of what had come after it. */
type Phase = 'live' | 'seeking' | 'skipping'

/**
 * Tells which messages of a queue have been seen, over cuts of its consumer's link, without message ids:
 * outside publishers set none.
 *
 * Everything is acknowledged up to, and without, an anchor: a numbered fence that this node sends to its
 * own queue or, where none comes, some message known by its hash. After a cut the broker sends everything
 * from the anchor on again. So: drop through the anchor, then as many as had come after it. The
 * `redelivered` flag alone would not do, since what was under way when the link broke bears it too; but a
 * message without it has never been sent, and before the anchor it says that the anchor is gone.
 */
export class FenceLog {
  readonly #options: FenceLogOptions
  #phase: Phase = 'live'
  #anchor: Anchor = { kind: 'start' }
  #sinceAnchor = 0
  #toSkip = 0
  #unacked = 0
  #previousAckId: string | undefined

  constructor(options: FenceLogOptions) {
    this.#options = options
  }

  get isRecovering(): boolean {
    return this.#phase !== 'live'
  }

  /** A new link to the same queue: what was not acknowledged comes again. */
  onReconnect(): void {
    this.#unacked = 0
    this.#previousAckId = undefined
    this.#toSkip = this.#sinceAnchor
    if (this.#anchor.kind === 'start') this.#phase = this.#toSkip > 0 ? 'skipping' : 'live'
    else this.#phase = 'seeking'
  }

  /** Another queue: everything is fresh. */
  restart(): void {
    this.#phase = 'live'
    this.#anchor = { kind: 'start' }
    this.#sinceAnchor = 0
    this.#unacked = 0
    this.#previousAckId = undefined
  }

  /** @returns whether the message is to be handed on: it is no fence, and has not been seen */
  isFresh(entry: InboxEntry): boolean {
    this.#unacked += 1
    const isFresh = this.#phase === 'live' ? this.#live(entry) : this.#recover(entry)
    this.#previousAckId = entry.ackId
    return isFresh
  }

  #live(entry: InboxEntry): boolean {
    if (entry.fence !== undefined) {
      this.#anchorAt({ kind: 'fence', number: entry.fence })
    } else if (this.#unacked >= this.#options.maxUnacked) {
      this.#anchorAt({ kind: 'hash', hash: entry.hash() })
    } else {
      this.#sinceAnchor += 1
    }
    return entry.fence === undefined
  }

  #recover(entry: InboxEntry): boolean {
    if (!entry.isRedelivered) return this.#giveUp(entry)
    if (this.#phase === 'skipping') {
      this.#toSkip -= 1
    } else if (this.#isAnchor(entry)) {
      this.#phase = 'skipping'
      this.#ackPrevious()
    }
    if (this.#phase === 'skipping' && this.#toSkip === 0) this.#phase = 'live'
    return false
  }

  #giveUp(entry: InboxEntry): boolean {
    this.#phase = 'live'
    // Nothing of this link's is acknowledged but what lies before the anchor, so they begin the queue.
    this.#anchor = { kind: 'start' }
    this.#sinceAnchor = this.#unacked - 1
    this.#options.onHole()
    return this.#live(entry)
  }

  #anchorAt(anchor: Anchor): void {
    this.#anchor = anchor
    this.#sinceAnchor = 0
    this.#ackPrevious()
  }

  #ackPrevious(): void {
    if (this.#previousAckId !== undefined && this.#unacked > 1) this.#options.ackUpTo(this.#previousAckId)
    this.#unacked = 1
  }

  #isAnchor(entry: InboxEntry): boolean {
    switch (this.#anchor.kind) {
      case 'start':
        return false
      case 'fence':
        return entry.fence === this.#anchor.number
      case 'hash':
        return entry.fence === undefined && entry.hash() === this.#anchor.hash
    }
  }
}
