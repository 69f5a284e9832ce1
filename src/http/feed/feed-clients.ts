import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { RequestError } from '../../errors.ts'
import { mirrorCounts, mirrorGauge } from '../../telemetry/metrics.ts'
import type { SessionRegistry } from '../../user/session-registry.ts'
import type { FeedClient } from './feed-client.ts'
import type { FeedServices } from './feed-services.ts'

const RETRY_AFTER_SECONDS = 5

/** A few clients are not kept waiting for the sake of an even spread. */
const MAX_DRAIN_GAP_MS = 100

export interface FeedClientsOptions {
  readonly services: FeedServices
  /** A feed counts as one of its reader's sessions. */
  readonly registry: SessionRegistry
  /** Connections of this node together, whatever they are for. */
  readonly maxConnections: number
  /** How many there are besides these. */
  readonly otherConnections: () => number
  /** How often slow clients are looked for, milliseconds. */
  readonly slowCheckMs: number
}

/** Everybody who reads a feed from this node. */
export class FeedClients {
  readonly services: FeedServices
  readonly #options: FeedClientsOptions
  readonly #open = new Set<FeedClient>()
  readonly #slowTimer: NodeJS.Timeout
  #isDraining = false

  constructor(options: FeedClientsOptions) {
    this.services = options.services
    this.#options = options
    const { turn, metrics, counters } = options.services
    this.#slowTimer = setInterval(() => turn.check(), options.slowCheckMs).unref()
    mirrorGauge(metrics, 'feeds', 'event streams and long polls open', () => this.#open.size)
    mirrorCounts(metrics, 'feed', 'what event streams and long polls of this node did', counters)
  }

  get size(): number {
    return this.#open.size
  }

  /** @throws RequestError 503 with `Retry-After` where this node takes no more, or no more now */
  admit(reply: FastifyReply): void {
    const { maxConnections, otherConnections } = this.#options
    if (this.#isDraining) this.#refuse(reply, new RequestError(503, 'shutting-down', 'this node shuts down'))
    if (this.#open.size + otherConnections() >= maxConnections) {
      this.#refuse(reply, new RequestError(503, 'no-connections', 'this node takes no more connections now'))
    }
  }

  /** Counts a client until it is gone. @throws RequestError 429 where the user has too many */
  hold(client: FeedClient, reply: FastifyReply): void {
    if (!this.#options.registry.add(client)) {
      client.shutDown()
      this.#refuse(reply, new RequestError(429, 'too-many-sessions', 'too many sessions of this user'))
    }
    this.#open.add(client)
    void client.closed.then(() => {
      this.#open.delete(client)
      this.#options.registry.remove(client)
    })
  }

  /** Takes no more, and ends all, spread evenly over `drainMs`. Resolves when all are gone. */
  async drain(drainMs: number): Promise<void> {
    this.#isDraining = true
    const clients = [...this.#open]
    const gapMs = Math.min(drainMs / Math.max(clients.length, 1), MAX_DRAIN_GAP_MS)
    await Promise.all(
      clients.map(async (client, i) => {
        await delay(i * gapMs)
        client.shutDown()
        await client.closed
      }),
    )
    clearInterval(this.#slowTimer)
  }

  #refuse(reply: FastifyReply, refusal: RequestError): never {
    this.services.counters.refused += 1
    void reply.header('retry-after', RETRY_AFTER_SECONDS)
    throw refusal
  }
}
