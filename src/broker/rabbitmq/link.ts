import { backoffMs } from '../../lib/backoff.ts'
import { within } from '../../lib/within.ts'
import type { Host, HostOrder } from './host-order.ts'
import type { Log } from '../../telemetry/log.ts'

/** One open connection, whatever it speaks. */
export interface Connected {
  /** Resolves, never rejects, when it is over; undefined where we ended it ourselves. */
  readonly closed: Promise<Error | undefined>
  /** Ends it at once and leaves no socket or timer. Idempotent. */
  destroy(): void
}

export interface LinkOptions<C extends Connected> {
  /** For the log and for `status`. */
  readonly name: string
  readonly hosts: HostOrder
  readonly log: Log
  readonly setUpTimeoutMs: number
  /** Bounded by itself; ends early when the signal aborts. */
  open(host: Host, signal: AbortSignal): Promise<C>
  /** Declares and subscribes; the link is up when it resolves, and tries again when it rejects. */
  setUp(connection: C): Promise<void>
  /** Called when a connection that was open is over, before the next try. */
  onDown(reason: Error): void
  /** Called after each change of `isUp`. */
  onChange(): void
}

const BASE_WAIT_MS = 100
const MAX_WAIT_MS = 2_000

/**
 * Keeps one connection to one of several hosts: the last good host first, the others at once after it,
 * then a pause with full jitter of at most 2 s. amqplib's own recovery knows one host only.
 */
export class Link<C extends Connected> {
  readonly #options: LinkOptions<C>
  readonly #closing = new AbortController()
  #isUp = false
  #hasFailed = false
  #detail = 'not started'
  #current: C | undefined
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined

  constructor(options: LinkOptions<C>) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get detail(): string {
    return `${this.#options.name} ${this.#detail}`
  }

  /** The connection in use, also while it is being set up. */
  get current(): C | undefined {
    return this.#current
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Drops the connection in use; the link connects again. */
  reset(): void {
    this.#current?.destroy()
  }

  /** Idempotent; resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wake?.()
    this.#current?.destroy()
    await this.#running
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosing;) {
      if (await this.#tryAllHosts()) failures = 0
      else await this.#pause(backoffMs(failures++, BASE_WAIT_MS, MAX_WAIT_MS))
    }
    this.#enter(false, 'closed')
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted
  }

  /** @returns whether a connection came to be and has ended since */
  async #tryAllHosts(): Promise<boolean> {
    for (const host of this.#options.hosts.list()) {
      if (this.#isClosing) return false
      if (await this.#useHost(host)) return true
    }
    return false
  }

  async #useHost(host: Host): Promise<boolean> {
    const where = `${host.host}:${host.port}`
    let connection: C | undefined
    try {
      connection = await this.#options.open(host, this.#closing.signal)
      this.#current = connection
      if (this.#isClosing) connection.destroy()
      await this.#setUp(connection)
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      connection?.destroy()
      this.#fail(where, reason, connection !== undefined)
      return false
    }
    this.#options.hosts.found(host)
    this.#enter(true, `connected to ${where}`)
    const reason = (await connection.closed) ?? new Error('closed by this node')
    this.#fail(where, reason, true)
    return true
  }

  async #setUp(connection: C): Promise<void> {
    const over = connection.closed.then((error) => {
      throw error ?? new Error('closed by this node')
    })
    over.catch(() => undefined)
    const ready = Promise.race([this.#options.setUp(connection), over])
    await within(ready, this.#options.setUpTimeoutMs, () => new Error('setting up took too long'))
  }

  #fail(where: string, reason: Error, wasOpen: boolean): void {
    this.#current = undefined
    const isNews = this.#isUp || !this.#hasFailed
    this.#hasFailed = true
    this.#enter(false, `${where}: ${reason.message}`)
    if (wasOpen) this.#options.onDown(reason)
    const { log, name } = this.#options
    const entry = { event: 'broker-link-down', link: name, host: where, reason: reason.message }
    // The tries that follow say nothing new.
    if (isNews && !this.#isClosing) log.warn(entry, 'broker link down')
    else log.debug(entry, 'broker link still down')
  }

  #enter(isUp: boolean, detail: string): void {
    const isNews = isUp !== this.#isUp || detail !== this.#detail
    this.#isUp = isUp
    this.#detail = detail
    if (isUp)
      this.#options.log.info({ event: 'broker-link-up', link: this.#options.name, detail }, 'broker link up')
    if (isNews) this.#options.onChange()
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isClosing) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}
