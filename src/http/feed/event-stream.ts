import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { FeedConnected, FeedEnded } from '../../../protocol/payload/event-stream.ts'
import type { AuthenticatedPrincipal } from '../../auth/principal.ts'
import { at } from '../../lib/at.ts'
import { Outbox } from '../../lib/outbox.ts'
import { whenClosed } from '../when-closed.ts'
import type { SessionPeer } from '../../user/session-registry.ts'
import type { FeedClient } from './feed-client.ts'
import type { FeedServices } from './feed-services.ts'
import { Feed, type FeedEvent, type FeedSink, type FeedStart } from './feed.ts'
import { feedSources } from './feed-source.ts'
import { KEEP_ALIVE, renderEvent, renderEvents, renderRetry } from './sse-format.ts'

/** Between these, so that the clients of a node that went do not come back all at once: milliseconds. */
const RETRY_MIN_MS = 1000
const RETRY_MAX_MS = 3000

/** How long a client may take to read the end of its stream before the socket is cut, milliseconds. */
const CLOSE_TIMEOUT_MS = 5000

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx would collect the events otherwise.
  'x-accel-buffering': 'no',
  // Whoever comes back after the end is free to reach another node.
  connection: 'close',
}

export interface EventStreamParts {
  readonly services: FeedServices
  readonly reply: FastifyReply
  /** Who reads. */
  readonly principal: AuthenticatedPrincipal
  /** Whose events. */
  readonly user: string
  readonly lastEventId: string | undefined
}

/** The feed of one user as server-sent events, until the client leaves, the token ends or the node goes. */
export class EventStream implements FeedClient, FeedSink {
  readonly id = randomUUID()
  readonly view: { readonly principal: AuthenticatedPrincipal }
  readonly peer: SessionPeer
  readonly closed: Promise<void>
  readonly #services: FeedServices
  readonly #reply: FastifyReply
  readonly #raw: ServerResponse
  readonly #user: string
  readonly #feed: Feed
  readonly #outbox: Outbox
  #cancelExpiry: () => void = () => undefined
  #keepAlive: NodeJS.Timeout | undefined
  #cut: NodeJS.Timeout | undefined
  /** `streaming` once the head is written, `ended` when nothing more is. */
  #state: 'opening' | 'streaming' | 'ended' = 'opening'

  constructor({ services, reply, principal, user, lastEventId }: EventStreamParts) {
    this.#services = services
    this.#reply = reply
    this.#raw = reply.raw
    this.#user = user
    this.view = { principal }
    this.peer = { transport: 'sse', remoteAddress: reply.request.ip }
    this.#feed = new Feed({ hub: services.hub, sources: feedSources(user), after: lastEventId, sink: this })
    this.#outbox = new Outbox({
      socket: reply.request.raw.socket,
      write: (bytes) => this.#write(bytes),
      limits: services.limits,
      turn: services.turn,
      onTooSlow: () => this.#dropTooSlow(),
    })
    this.closed = this.#whenClosed()
  }

  /**
   * Begins the stream; before that nothing was answered, and a failure may be told by other means.
   *
   * @throws MessageError as `Feed.open`
   */
  async open(): Promise<void> {
    const start = await this.#feed.open()
    // Nobody is there to be answered, or the node is on its way out.
    if (start === undefined || this.#state !== 'opening') return
    this.#state = 'streaming'
    this.#reply.hijack()
    for (const [name, value] of Object.entries({ ...this.#reply.getHeaders(), ...HEADERS })) {
      if (value !== undefined) this.#raw.setHeader(name, value)
    }
    this.#raw.writeHead(200)
    const { keepAliveMs, counters } = this.#services
    this.#keepAlive = setInterval(() => this.#outbox.add(KEEP_ALIVE), keepAliveMs)
    counters.opened += 1
    const spreadMs = Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS)
    this.#outbox.add(renderRetry(Math.round(RETRY_MIN_MS + spreadMs)))
    this.#say(start)
    const { expiresAtMs } = this.view.principal
    if (expiresAtMs !== undefined) this.#cancelExpiry = at(expiresAtMs, () => this.#expire())
    this.#feed.begin()
  }

  events(events: readonly FeedEvent[]): void {
    this.#services.counters.events += events.length
    this.#outbox.add(renderEvents(events))
  }

  interrupted(start: FeedStart): void {
    this.#say(start)
  }

  /** The client comes back by itself, with the last id that it got. */
  failed(error: unknown): void {
    if (this.#state !== 'streaming') return
    this.#services.log.warn({ event: 'feed-failed', err: error }, 'a stream of events could not go on')
    this.#end()
  }

  room(): Promise<void> | undefined {
    return this.#outbox.room()
  }

  shutDown(): void {
    this.#end()
  }

  expel(): void {
    this.#end()
  }

  #say({ id, ...recovery }: FeedStart): void {
    const data: FeedConnected = { user: this.#user, ...recovery }
    this.#outbox.add(renderEvent('connected', data, id))
    if (recovery.recovered === false) this.#services.counters.notRecovered += 1
  }

  #expire(): void {
    const data: FeedEnded = { code: 'token-expired', message: 'the token ran out' }
    this.#outbox.add(renderEvent('token-expired', data))
    this.#end()
  }

  #end(): void {
    if (this.#state === 'ended') return
    const isAnswered = this.#state === 'streaming'
    this.#release()
    if (!isAnswered) return
    this.#outbox.flush()
    this.#raw.end()
    this.#cut = setTimeout(() => this.#raw.destroy(), CLOSE_TIMEOUT_MS)
  }

  #dropTooSlow(): void {
    if (this.#state === 'ended') return
    const { metrics, log } = this.#services
    metrics.slowClients.inc()
    const fields = { event: 'slow-client', stream: this.id, unsentBytes: this.#outbox.unsentBytes }
    log.warn(fields, 'client reads too slowly')
    this.#release()
    this.#raw.destroy()
  }

  /** In one system call: left alone, Node would write head, chunk and end of chunk a tick later. */
  #write(bytes: Uint8Array): void {
    const { socket } = this.#raw
    socket?.cork()
    this.#raw.write(bytes)
    socket?.uncork()
  }

  /** Nothing comes any more, and nobody waits for it. Idempotent. */
  #release(): void {
    this.#state = 'ended'
    clearInterval(this.#keepAlive)
    this.#cancelExpiry()
    this.#feed.close()
    this.#services.turn.forget(this.#outbox)
  }

  async #whenClosed(): Promise<void> {
    await whenClosed(this.#raw)
    clearTimeout(this.#cut)
    this.#release()
  }
}
