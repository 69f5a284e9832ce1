import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FeedPoll } from '../../../protocol/payload/event-stream.ts'
import type { AuthenticatedPrincipal } from '../../auth/principal.ts'
import { deferred } from '../../lib/deferred.ts'
import { whenClosed } from '../when-closed.ts'
import type { SessionPeer } from '../../user/session-registry.ts'
import type { FeedClient } from './feed-client.ts'
import type { FeedServices } from './feed-services.ts'
import { Feed, type FeedEvent, type FeedSink, type FeedStart } from './feed.ts'
import { feedSources } from './feed-source.ts'
import { textOf } from './sse-format.ts'

export interface PollWaitParts {
  readonly services: FeedServices
  readonly raw: ServerResponse
  readonly remoteAddress: string
  readonly principal: AuthenticatedPrincipal
  readonly after: string | undefined
  readonly waitMs: number
  /** Events in one answer at most. */
  readonly limit: number
}

/** One long poll: what came after a position, or what comes first. */
export class PollWait implements FeedClient, FeedSink {
  readonly id = randomUUID()
  readonly view: { readonly principal: AuthenticatedPrincipal }
  readonly peer: SessionPeer
  readonly closed: Promise<void>
  readonly #parts: PollWaitParts
  readonly #feed: Feed
  readonly #events: FeedEvent[] = []
  /** Resolves when there is no more to wait for. */
  readonly #done = deferred()
  #timer: NodeJS.Timeout | undefined
  #isOpen = false

  constructor(parts: PollWaitParts) {
    this.#parts = parts
    const { services, principal, after } = parts
    this.view = { principal }
    this.peer = { transport: 'poll', remoteAddress: parts.remoteAddress }
    this.#feed = new Feed({
      hub: services.hub,
      sources: feedSources(principal.name),
      after,
      sink: this,
    })
    this.closed = this.#whenClosed()
  }

  /**
   * The answer, once there is one. Undefined where the caller has left, or the node went, before that.
   *
   * @throws MessageError as `Feed.open`
   */
  async answer(): Promise<FeedPoll | undefined> {
    const { after, services } = this.#parts
    const start = await this.#feed.open()
    if (start === undefined) return undefined
    this.#isOpen = true
    // Who names no position asks for one, and who cannot be resumed has to know.
    if (after !== undefined) this.#feed.begin()
    if (after !== undefined && start.recovered === true) await this.#wait()
    this.#release()
    services.counters.polls += 1
    services.counters.events += this.#events.length
    if (start.recovered === false) services.counters.notRecovered += 1
    return this.#toAnswer(start)
  }

  events(events: readonly FeedEvent[]): void {
    const room = this.#parts.limit - this.#events.length
    this.#events.push(...events.slice(0, room))
    this.#done.resolve()
  }

  /** What was handed out by then is good; the next poll finds out by itself that something is gone. */
  interrupted(): void {
    this.#done.resolve()
  }

  /** Likewise: the next poll is told. */
  failed(): void {
    this.#done.resolve()
  }

  room(): Promise<void> | undefined {
    return this.#done.promise
  }

  shutDown(): void {
    if (!this.#isOpen) this.#feed.close()
    this.#done.resolve()
  }

  expel(): void {
    this.shutDown()
  }

  /** For events, at most as long as the token is good. */
  async #wait(): Promise<void> {
    const { waitMs, principal } = this.#parts
    const goodForMs = (principal.expiresAtMs ?? Infinity) - Date.now()
    this.#timer = setTimeout(this.#done.resolve, Math.max(0, Math.min(waitMs, goodForMs)))
    await this.#done.promise
  }

  #toAnswer({ id, ...recovery }: FeedStart): FeedPoll {
    const events = this.#events.map((event) => ({
      id: event.id,
      event: event.event,
      data: dataOf(textOf(event.message)),
    }))
    return { events, lastEventId: events.at(-1)?.id ?? id, ...recovery }
  }

  #release(): void {
    clearTimeout(this.#timer)
    this.#feed.close()
  }

  async #whenClosed(): Promise<void> {
    await whenClosed(this.#parts.raw)
    this.#release()
    this.#done.resolve()
  }
}

/** Payloads of ours are JSON; what others publish is shown as the text that it is. */
function dataOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
