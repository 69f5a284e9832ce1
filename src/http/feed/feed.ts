import { parseEventId, type EventId } from '../../../protocol/event-id.ts'
import { formatEventVector, readEventVector } from '../../../protocol/event-vector.ts'
import type { FeedConnected, FeedEventName } from '../../../protocol/payload/event-stream.ts'
import { MessageError } from '../../errors.ts'
import type { EncodedBatch } from '../../fanout/encoded-batch.ts'
import type { FanoutMessage } from '../../fanout/fanout-message.ts'
import type { Hub, HubSubscription } from '../../fanout/hub.ts'
import type { Recovery, RecoveryFailure } from '../../fanout/replay.ts'
import type { Subscriber } from '../../fanout/subscriber.ts'
import { deferred } from '../../lib/deferred.ts'
import type { FeedSource } from './feed-source.ts'

/** What may come live while the slowest of the streams is still on its way. */
const MAX_HELD_BYTES = 524_288

/** Where a feed begins, or begins anew. */
export interface FeedStart extends Pick<FeedConnected, 'recovered' | 'reason' | 'reasons'> {
  /** Resumes here. */
  readonly id: string
}

export interface FeedEvent {
  /** Resumes behind this event, and behind everything that was handed out before it. */
  readonly id: string
  readonly event: FeedEventName
  readonly message: FanoutMessage
}

/** Who is handed the events. None of it may throw. */
export interface FeedSink {
  events(events: readonly FeedEvent[]): void
  /** What had begun well could not be resumed to its end: what lies between is lost. */
  interrupted(start: FeedStart): void
  /** It is over: the feed has closed itself. */
  failed(error: unknown): void
  /** As `Subscriber.room`. */
  room(): Promise<void> | undefined
}

export interface FeedParts {
  readonly hub: Pick<Hub, 'subscribe'>
  readonly sources: readonly FeedSource[]
  /** The id that somebody resumes with; without it only new events come. */
  readonly after: string | undefined
  readonly sink: FeedSink
}

/** One stream of a feed: how far it was handed out, and how it was resumed. */
class Strand implements Subscriber {
  // All feeds share one group of the hub at each destination; frames are never asked for.
  readonly subscriptionId = 'feed'
  readonly version = '1.2'
  readonly source: FeedSource
  readonly eventId: string | undefined
  readonly deliver: (batch: EncodedBatch) => void
  readonly room: () => Promise<void> | undefined
  readonly isGone: () => boolean
  /** Behind what was handed out; undefined until it is known. */
  position: EventId | undefined
  failure: RecoveryFailure | undefined
  hasBegun = false

  constructor(feed: Feed, source: FeedSource, start: { eventId?: string; failure?: RecoveryFailure }) {
    this.source = source
    this.eventId = start.eventId
    this.failure = start.failure
    this.position = start.eventId === undefined ? undefined : parseEventId(start.eventId)
    this.deliver = ({ messages }) => feed.take(this, messages)
    this.room = () => feed.room()
    this.isGone = () => feed.isClosed
  }
}

/**
 * Unites the streams of one user for one reader, whoever carries them. Each event bears the vector of
 * what has been handed out of all of them, so that whichever comes last resumes all. Nothing is handed
 * out before it is known of every stream whether it can be resumed.
 */
export class Feed {
  readonly #parts: FeedParts
  readonly #strands: readonly Strand[]
  readonly #subscriptions: HubSubscription[] = []
  /** Resolves when each stream has its first events or its subscription, or the feed is closed. */
  readonly #opened = deferred()
  /** Resolves when the reader is ready, or the feed is closed. */
  readonly #begun = deferred()
  #held: (() => void)[] | undefined = []
  #heldBytes = 0
  #isClosed = false
  #failure: { readonly error: unknown } | undefined

  constructor(parts: FeedParts) {
    this.#parts = parts
    this.#strands = strandsOf(this, parts)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Subscribes to all streams. What comes is held until `begin`.
   *
   * @returns undefined where it was closed meanwhile
   * @throws MessageError as `Hub.subscribe`, or `too-many-pending` where too much came meanwhile
   */
  async open(): Promise<FeedStart | undefined> {
    for (const strand of this.#strands) void this.#join(strand)
    await this.#opened.promise
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#isClosed ? undefined : this.#start()
  }

  /** Hands out what was held, and from now on what comes. */
  begin(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const handOut of held) if (!this.#isClosed) handOut()
    this.#begun.resolve()
  }

  /** The vector of what has been handed out. */
  get id(): string {
    return formatEventVector(this.#strands.flatMap(({ position }) => position ?? []))
  }

  /** Ends all subscriptions. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#held = undefined
    for (const subscription of this.#subscriptions) subscription.close()
    this.#opened.resolve()
    this.#begun.resolve()
  }

  /** Takes what the hub delivers to one of the streams. */
  take(strand: Strand, messages: readonly FanoutMessage[]): void {
    if (this.#isClosed) return
    // What is replayed comes in batches that wait for room; only what comes live can pile up.
    if (this.#held !== undefined && strand.hasBegun) {
      for (const { bytes } of messages) this.#heldBytes += bytes
      if (this.#heldBytes > MAX_HELD_BYTES) {
        this.#fail(new MessageError('too-many-pending', 'too much came before all streams were there'))
        return
      }
    }
    this.#handOut(() => this.#parts.sink.events(messages.map((message) => this.#event(strand, message))))
    // Of a stream that is not resumed this is live, and its position is still to be told.
    if (strand.eventId !== undefined) this.#hasBegun(strand)
  }

  room(): Promise<void> | undefined {
    return this.#held === undefined ? this.#parts.sink.room() : this.#begun.promise
  }

  async #join(strand: Strand): Promise<void> {
    const { source, eventId } = strand
    try {
      const subscription = await this.#parts.hub.subscribe({
        ...source.subscription,
        subscriber: strand,
        ...(eventId !== undefined && { from: { kind: 'event-id', eventId } }),
      })
      this.#joined(strand, subscription)
    } catch (error) {
      this.#fail(error)
    }
  }

  #joined(strand: Strand, subscription: HubSubscription): void {
    if (this.#isClosed) {
      subscription.close()
      return
    }
    this.#subscriptions.push(subscription)
    const { position, reason } = subscription.recovery
    // A stream whose place is not known cannot be resumed: better told now than found out then.
    if (position === undefined) {
      this.#fail(new MessageError('store-unavailable', 'a stream has no position now'))
      return
    }
    if (!strand.hasBegun) {
      strand.position = position
      strand.failure ??= reason
    } else if (reason !== undefined) {
      this.#handOut(() => this.#interrupt(strand, { position, reason }))
    }
    this.#hasBegun(strand)
  }

  #interrupt(strand: Strand, { position, reason }: Required<Pick<Recovery, 'position' | 'reason'>>): void {
    strand.failure = reason
    const isBehind = strand.position?.epoch !== position.epoch || strand.position.offset < position.offset
    if (isBehind) strand.position = position
    this.#parts.sink.interrupted(this.#start())
  }

  #handOut(act: () => void): void {
    if (this.#held === undefined) act()
    else this.#held.push(act)
  }

  #hasBegun(strand: Strand): void {
    strand.hasBegun = true
    if (this.#strands.every(({ hasBegun }) => hasBegun)) this.#opened.resolve()
  }

  #event(strand: Strand, message: FanoutMessage): FeedEvent {
    // What is no event of the stream moves no position.
    strand.position = parseEventId(message.delivery.eventId ?? '') ?? strand.position
    return { id: this.id, event: strand.source.event, message }
  }

  #start(): FeedStart {
    const failed = this.#strands.flatMap(({ source, failure }) =>
      failure === undefined ? [] : [[source.event, failure] as const],
    )
    const [first] = failed
    return {
      id: this.id,
      ...(this.#parts.after !== undefined && { recovered: first === undefined }),
      ...(first !== undefined && { reason: first[1], reasons: Object.fromEntries(failed) }),
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.#failure = { error }
    this.close()
    this.#parts.sink.failed(error)
  }
}

function strandsOf(feed: Feed, { sources, after }: FeedParts): Strand[] {
  if (after === undefined) return sources.map((source) => new Strand(feed, source, {}))
  const reading = readEventVector(
    after,
    sources.map(({ stream }) => stream),
  )
  if (reading === undefined)
    return sources.map((source) => new Strand(feed, source, { failure: 'malformed' }))
  return sources.map((source, i) => {
    const eventId = reading.eventIds[i]
    if (eventId !== undefined) return new Strand(feed, source, { eventId })
    // An id of other streams was meant for something: for those that it says nothing of.
    return new Strand(feed, source, reading.namesOthers ? { failure: 'unknown-epoch' } : {})
  })
}
