import { setTimeout as delay } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RequestError } from '../errors.ts'
import { addressKey } from '../lib/address-key.ts'
import { isOriginAllowed } from '../lib/origin.ts'
import { Tally } from '../lib/tally.ts'
import type { UpgradeCredentials } from '../session/transport.ts'
import { Connection, maxMessageBytes, type ConnectionServices } from './connection.ts'

export interface UpgradeOptions {
  readonly endpoints: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly maxConnections: number
  /** Connections of other kinds that count against `maxConnections` too. */
  readonly otherConnections: () => number
  /** WebSockets of one address, or of an IPv6 network, that are not CONNECTED yet, or ended so a moment ago. */
  readonly maxConnectingPerAddress: number
  /**
   * How long one that ended so goes on counting, milliseconds: to open it costs the node more than to refuse the
   * upgrade, so this bounds how many of an address come to nothing in a second.
   */
  readonly failedCountsMs: number
  /** How often slow clients are looked for, milliseconds. */
  readonly slowCheckMs: number
  /** Whether clients may compress what they send. */
  readonly compression: boolean
}

const SUB_PROTOCOLS = new Set(['v10.stomp', 'v11.stomp', 'v12.stomp'])

const RETRY_AFTER_SECONDS = 5

/** Whoever is refused for these waits for the answer, and asks less often: milliseconds. */
const REFUSAL_WAIT_MS = 1000
/** So many of an address wait, and of all; who comes beyond it is refused at once, since each that waits is a socket. */
const MAX_WAITING_REFUSALS = { ofAddress: 16, ofAll: 200 }

/** Parts that a message may come in: clients send one, and each costs more than the byte that it may hold. */
const MAX_FRAGMENTS = 256
/** An unfinished WebSocket frame may come in reads of so few bytes each, and in so many in any case. */
const CHUNK_BYTES = 128
const MIN_CHUNKS = 2048

/**
 * What is inflated counts against the bound of a message while it is being inflated. Nothing is remembered
 * from one message to the next; a connection that has compressed anything keeps some 50 KiB all the same,
 * since ws keeps its inflater. Smaller windows cannot be asked for: ws refuses browsers that do not offer them.
 */
const COMPRESSION = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  /** Messages of this process inflated at once: they share libuv's threads with passwords. */
  concurrencyLimit: 2,
}

/** A few connections are not kept waiting for the sake of an even spread. */
const MAX_DRAIN_GAP_MS = 100

/** The connections of a node: opened by upgrade requests at the endpoints, closed with the server. */
export class Connections {
  readonly #services: ConnectionServices
  readonly #options: UpgradeOptions
  readonly #open = new Set<Connection>()
  readonly #connecting = new Tally()
  readonly #refusing = new Tally()
  #allRefusing = 0
  readonly #slowTimer: NodeJS.Timeout
  #isDraining = false

  constructor(services: ConnectionServices, options: UpgradeOptions) {
    this.#services = services
    this.#options = options
    this.#slowTimer = setInterval(() => this.#check(), options.slowCheckMs).unref()
  }

  /** Whether the node is on its way out. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  get size(): number {
    return this.#open.size
  }

  /** Adds the WebSocket endpoints to the server. */
  async register(server: FastifyInstance): Promise<void> {
    const messageBytes = maxMessageBytes(this.#services.limits.decoder)
    await server.register(websocket, {
      options: {
        maxPayload: messageBytes,
        maxFragments: MAX_FRAGMENTS,
        maxBufferedChunks: Math.max(MIN_CHUNKS, Math.ceil(messageBytes / CHUNK_BYTES)),
        perMessageDeflate: this.#options.compression && COMPRESSION,
        handleProtocols: (offered) => chooseSubProtocol(offered),
      },
      // Draining closes each session in its own time.
      preClose: (done) => done(),
    })
    server.addHook('onRequest', async (request, reply) => {
      if (!request.ws) return
      // Node has given the socket away by then: after a refusal nothing more is read from it.
      void reply.header('connection', 'close')
      // Elsewhere a WebSocket would be opened, uncounted, only to be closed.
      if (!this.#options.endpoints.includes(request.routeOptions.url ?? '')) {
        throw new RequestError(404, 'not-found', 'there is no WebSocket here')
      }
    })
    for (const endpoint of this.#options.endpoints) {
      server.route({
        method: 'GET',
        url: endpoint,
        preValidation: async (request, reply) => this.#admit(request, reply),
        handler: (_request, reply) => {
          void reply.header('upgrade', 'websocket')
          throw new RequestError(426, 'upgrade-required', 'this is a WebSocket endpoint for STOMP')
        },
        wsHandler: (webSocket, request) => {
          const { onConnected, onGone } = this.#countConnecting(request.ip)
          const peer = { remoteAddress: request.ip, upgrade: credentialsOf(request), onConnected }
          void this.#hold(new Connection(webSocket, this.#services, peer), onGone)
        },
      })
    }
  }

  /** Takes no more, and closes all with 1001, spread evenly over `drainMs`. Resolves when all are gone. */
  async drain(drainMs: number): Promise<void> {
    this.#isDraining = true
    const connections = [...this.#open]
    const gapMs = Math.min(drainMs / Math.max(connections.length, 1), MAX_DRAIN_GAP_MS)
    await Promise.all(
      connections.map(async (connection, i) => {
        await delay(i * gapMs)
        connection.session.shutDown()
        await connection.closed
      }),
    )
    clearInterval(this.#slowTimer)
  }

  #check(): void {
    this.#services.turn.check()
    const nowMs = performance.now()
    for (const connection of this.#open) connection.check(nowMs)
  }

  #countConnecting(address: string): { onConnected: () => void; onGone: () => void } {
    const giveBack = this.#connecting.take(addressKey(address))
    let hasConnected = false
    return {
      onConnected: () => {
        hasConnected = true
        giveBack()
      },
      onGone: () => {
        if (!hasConnected) setTimeout(giveBack, this.#options.failedCountsMs).unref()
      },
    }
  }

  /** @param onGone called when the socket is gone */
  async #hold(connection: Connection, onGone: () => void): Promise<void> {
    const { connections } = this.#services.metrics
    this.#open.add(connection)
    connections.set(this.#open.size)
    // Draining may have begun between this one's admission and its upgrade.
    if (this.#isDraining) connection.session.shutDown()
    await connection.closed
    onGone()
    this.#open.delete(connection)
    connections.set(this.#open.size)
  }

  /** An upgrade request is answered before any WebSocket exists: the cheapest place to refuse. */
  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { origin, host } = request.headers
    if (!isOriginAllowed(origin, { allowed: this.#options.allowedOrigins, host })) {
      this.#refused('origin')
      throw new RequestError(403, 'origin-not-allowed', 'pages of this origin may not connect')
    }
    if (this.#connecting.of(addressKey(request.ip)) >= this.#options.maxConnectingPerAddress) {
      this.#refused('connecting')
      await this.#holdUp(addressKey(request.ip))
      void reply.header('retry-after', RETRY_AFTER_SECONDS)
      throw new RequestError(429, 'too-many-connecting', 'too many of this address are not CONNECTED yet')
    }
    const size = this.#open.size + this.#options.otherConnections()
    if (this.#isDraining || size >= this.#options.maxConnections) {
      this.#refused(this.#isDraining ? 'draining' : 'connections')
      void reply.header('retry-after', RETRY_AFTER_SECONDS)
      throw new RequestError(503, 'no-connections', 'this node takes no more connections now')
    }
  }

  /** For a moment, where there is room for one more that waits. */
  async #holdUp(address: string): Promise<void> {
    const { ofAddress, ofAll } = MAX_WAITING_REFUSALS
    if (this.#refusing.of(address) >= ofAddress || this.#allRefusing >= ofAll) return
    const giveBack = this.#refusing.take(address)
    this.#allRefusing += 1
    await delay(REFUSAL_WAIT_MS)
    this.#allRefusing -= 1
    giveBack()
  }

  #refused(reason: string): void {
    this.#services.metrics.connectionsRefused.inc({ reason })
  }
}

/** The first of the client's sub-protocols that is spoken here; none is fine too (STOMP 1.2, RFC 6455 1.9). */
function chooseSubProtocol(offered: Iterable<string>): string | false {
  for (const name of offered) {
    if (SUB_PROTOCOLS.has(name.toLowerCase())) return name
  }
  return false
}

function credentialsOf(request: FastifyRequest): UpgradeCredentials {
  const { authorization } = request.headers
  const query = new URL(request.url, 'ws://relay').searchParams
  const queryToken = query.get('access_token') ?? query.get('token')
  return {
    ...(authorization !== undefined && { authorization }),
    ...(queryToken !== null && { queryToken }),
  }
}
