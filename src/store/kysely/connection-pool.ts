import { deferred, type Deferred } from '../../lib/deferred.ts'

export interface PooledConnection {
  /** It has failed or timed out: nobody gets it again. */
  readonly isBroken: boolean
  /** Ends it in order. Must settle within a bound. */
  end(): Promise<void>
}

export interface ConnectionPoolOptions<C> {
  /** Must settle within a bound. */
  connect(): Promise<C>
  readonly maxConnections: number
  /** Callers that wait for a connection; beyond it they are refused. */
  readonly maxWaiting: number
  /** How long one waits. */
  readonly acquireTimeoutMs: number
  /** A connection that nobody used for so long is ended. */
  readonly idleTimeoutMs: number
}

interface Idle<C> {
  readonly connection: C
  readonly sinceMs: number
}

/**
 * Connections to one server, made when they are wanted, up to a bound. A broken one is replaced when the
 * next caller comes, so that a server that comes back is served again with the next call.
 */
export class ConnectionPool<C extends PooledConnection> {
  readonly #options: ConnectionPoolOptions<C>
  readonly #waiting = new Set<Deferred<C>>()
  /** The one used last is at the end, and the next to be used. */
  #idle: Idle<C>[] = []
  /** Idle, in use, or on the way. */
  #count = 0
  #sweeper: NodeJS.Timeout | undefined
  #isClosed = false
  #drained: Deferred<void> | undefined

  constructor(options: ConnectionPoolOptions<C>) {
    this.#options = options
  }

  /** Rejects with what `connect` says, or where none gets free in time, or after `close`. */
  async acquire(): Promise<C> {
    if (this.#isClosed) throw new Error('the connections are closed')
    const { maxConnections, maxWaiting } = this.#options
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.connection.isBroken) return idle.connection
      this.#discard(idle.connection)
    }
    if (this.#count < maxConnections) return this.#connect()
    if (this.#waiting.size >= maxWaiting) throw new Error('too many questions wait for a connection')
    return this.#wait()
  }

  /** Gives back what `acquire` answered. */
  release(connection: C): void {
    if (connection.isBroken || this.#isClosed) {
      this.#discard(connection)
      return
    }
    const [next] = this.#waiting
    if (next !== undefined) {
      this.#waiting.delete(next)
      next.resolve(connection)
      return
    }
    this.#idle.push({ connection, sinceMs: performance.now() })
    this.#sweeper ??= setTimeout(() => this.#sweep(), this.#options.idleTimeoutMs).unref()
  }

  /** Refuses those who wait, ends what is idle, waits for what is in use. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      clearTimeout(this.#sweeper)
      for (const waiting of this.#waiting) waiting.reject(new Error('the connections are closed'))
      this.#waiting.clear()
      this.#drained = deferred()
      for (const { connection } of this.#idle) this.#discard(connection)
      this.#idle = []
      if (this.#count === 0) this.#drained.resolve()
    }
    await this.#drained?.promise
  }

  async #connect(): Promise<C> {
    this.#count += 1
    const connection = await this.#options.connect().catch((error: unknown) => {
      this.#countDown()
      throw error
    })
    if (!this.#isClosed) return connection
    this.#discard(connection)
    throw new Error('the connections are closed')
  }

  async #wait(): Promise<C> {
    const waiting = deferred<C>()
    this.#waiting.add(waiting)
    const timer = setTimeout(() => {
      this.#waiting.delete(waiting)
      waiting.reject(new Error('all connections to the database are busy'))
    }, this.#options.acquireTimeoutMs)
    try {
      return await waiting.promise
    } finally {
      clearTimeout(timer)
    }
  }

  #discard(connection: C): void {
    // Whether it ends well is all the same. It counts until it has ended, so that `close` waits for it.
    void connection
      .end()
      .catch(() => undefined)
      .finally(() => this.#countDown())
  }

  /** A place is free: whoever waits longest gets a new connection, or hears why there is none. */
  #countDown(): void {
    this.#count -= 1
    if (this.#count === 0) this.#drained?.resolve()
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    this.#connect().then(next.resolve, next.reject)
  }

  #sweep(): void {
    this.#sweeper = undefined
    const { idleTimeoutMs } = this.#options
    const usedBefore = performance.now() - idleTimeoutMs
    const old = this.#idle.filter(({ sinceMs }) => sinceMs <= usedBefore)
    this.#idle = this.#idle.filter(({ sinceMs }) => sinceMs > usedBefore)
    for (const { connection } of old) this.#discard(connection)
    if (this.#idle.length > 0) this.#sweeper = setTimeout(() => this.#sweep(), idleTimeoutMs).unref()
  }
}
