import { connect, type Channel, type ChannelModel, type ConfirmChannel } from 'amqplib'
import type { BrokerUrl } from '../../config/broker-url.ts'
import { deferred } from '../../lib/deferred.ts'
import { within } from '../../lib/within.ts'
import { corkEachTurn, socketUnder } from './cork-each-turn.ts'
import type { Host } from './host-order.ts'
import type { Connected } from './link.ts'

export interface AmqpOptions {
  readonly url: BrokerUrl
  /** Shown in RabbitMQ's list of connections. */
  readonly name: string
  /** For the whole of it: TCP, TLS, login. */
  readonly connectTimeoutMs: number
  /** AMQP counts in seconds: rounded up. Silence of two intervals ends the connection. */
  readonly heartBeatMs: number
}

const GOODBYE_MS = 500

/** One AMQP connection whose errors never go unheard: amqplib would end the process with them. */
export class AmqpConnection implements Connected {
  readonly closed: Promise<Error | undefined>
  /** Called after each change of `isBlocked`, with RabbitMQ's reason while it is. */
  onBlocked: (reason: string | undefined) => void = () => undefined
  readonly #model: ChannelModel
  readonly #abort: AbortController
  #isBlocked = false
  #isDestroyed = false
  #isOver = false

  private constructor(model: ChannelModel, abort: AbortController) {
    this.#model = model
    corkEachTurn(socketUnder(model.connection))
    this.#abort = abort
    const closed = deferred<Error | undefined>()
    let cause: Error | undefined
    model.on('error', (error: Error) => {
      cause ??= error
    })
    model.on('close', (error?: Error) => {
      const reason = cause ?? error ?? this.#endedByBroker()
      this.#isOver = true
      this.#endSocket()
      closed.resolve(reason)
    })
    model.on('blocked', (reason: string) => this.#setBlocked(reason))
    model.on('unblocked', () => this.#setBlocked(undefined))
    this.closed = closed.promise
  }

  /** @throws Error where the broker does not answer in time, or refuses */
  static async open(host: Host, options: AmqpOptions, signal: AbortSignal): Promise<AmqpConnection> {
    const { url } = options
    // The signal ends the socket whatever state amqplib is in: it has no such method of its own.
    const abort = new AbortController()
    const socketOptions = {
      noDelay: true,
      keepAlive: true,
      signal: abort.signal,
      clientProperties: { connection_name: options.name },
    }
    const address = {
      protocol: url.isTls ? 'amqps' : 'amqp',
      hostname: host.host,
      port: host.port,
      username: url.user,
      password: url.password,
      // amqplib unescapes it in this form too.
      vhost: encodeURIComponent(url.vhost),
      heartbeat: Math.ceil(options.heartBeatMs / 1000),
    }
    const cancel = (): void => abort.abort()
    signal.addEventListener('abort', cancel, { once: true })
    // amqplib's own time-out is for silence: who says a byte now and then would hold the link for ever.
    const opened = connect(address, socketOptions)
    try {
      return new AmqpConnection(await within(opened, options.connectTimeoutMs, connectTimedOut), abort)
    } catch (error) {
      opened.catch(() => undefined)
      abort.abort()
      throw error
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  /** A memory or disk alarm: RabbitMQ has stopped reading from this connection. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** What the broker says of itself at the start of the connection (AMQP 0-9-1, `connection.start`). */
  get serverProperties(): unknown {
    return Reflect.get(this.#model.connection, 'serverProperties')
  }

  get isOpen(): boolean {
    return !this.#isDestroyed && !this.#isOver
  }

  async confirmChannel(onClosed: (error: Error) => void): Promise<ConfirmChannel> {
    return watched(await this.#model.createConfirmChannel(), onClosed)
  }

  async channel(onClosed: (error: Error) => void): Promise<Channel> {
    return watched(await this.#model.createChannel(), onClosed)
  }

  destroy(): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    const end = setTimeout(() => this.#abort.abort(), GOODBYE_MS)
    this.#model
      .close()
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(end)
        this.#abort.abort()
      })
  }

  /** amqplib waits until the other side has read everything, which a silent one never does. */
  #endSocket(): void {
    const end = setTimeout(() => this.#abort.abort(), GOODBYE_MS)
    socketUnder(this.#model.connection)?.once('close', () => clearTimeout(end))
  }

  #setBlocked(reason: string | undefined): void {
    this.#isBlocked = reason !== undefined
    this.onBlocked(reason)
  }

  #endedByBroker(): Error | undefined {
    return this.#isDestroyed ? undefined : new Error('the broker closed the connection')
  }
}

function connectTimedOut(): Error {
  return new Error('connect timed out')
}

function watched<C extends Channel>(channel: C, onClosed: (error: Error) => void): C {
  let cause: Error | undefined
  channel.on('error', (error: Error) => {
    cause ??= error
  })
  // When the connection ends, amqplib closes its channels first: by then it must show which it was.
  channel.on('close', () => queueMicrotask(() => onClosed(cause ?? new Error('channel closed'))))
  return channel
}

/**
 * Resolves when the channel is closed, also by the end of its connection, or after a moment: where it is
 * closed from both sides at once RabbitMQ 3.10.8 was seen to answer nothing, and amqplib waits for ever.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const closed = deferred()
  const end = setTimeout(closed.resolve, GOODBYE_MS)
  channel.once('close', closed.resolve)
  // It throws where the channel is closing or closed.
  channel.close().catch(() => closed.resolve())
  await closed.promise
  clearTimeout(end)
}

/** The AMQP reply code of a refusal (403, 404, 406, …), or undefined for other failures. */
export function replyCode(error: unknown): number | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') return error.code
  return undefined
}
