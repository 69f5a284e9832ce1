import type { Channel, ConsumeMessage } from 'amqplib'
import { RESERVED_SEND_HEADERS } from '../../../protocol/headers.ts'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import type { Log } from '../../telemetry/log.ts'
import type { ConsumedMessage, ConsumeHandler, Consumer } from '../broker.ts'
import { type AmqpConnection, closeChannel } from './amqp-connection.ts'

export interface IntakeOptions {
  readonly queue: string
  readonly prefetch: number
  readonly handler: ConsumeHandler
  /** How long a message whose handler rejected is held before it is given back. */
  readonly redeliveryMs: number
  readonly log: Log
  declareQueue(queue: string): Promise<void>
  onClosed(): void
}

const RETRY_MS = 1_000

/**
 * Consumes a queue that outside services publish to. A message is acknowledged when the handler has
 * resolved, on the channel it came on; where that is gone, the broker gives the message out again.
 */
export class Intake implements Consumer {
  readonly #options: IntakeOptions
  readonly #underWay = new Set<Promise<void>>()
  readonly #held = new Map<Deferred<void>, NodeJS.Timeout>()
  #connection: AmqpConnection | undefined
  #channel: Channel | undefined
  #tag: string | undefined
  #retry: NodeJS.Timeout | undefined
  #hasFailed = false
  #closing: Promise<void> | undefined

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Subscribes over a new connection; tries again by itself while it lives. */
  attach(connection: AmqpConnection): void {
    this.#connection = connection
    clearTimeout(this.#retry)
    this.#subscribe(connection).catch((error: unknown) => this.#onFailure(connection, error))
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #subscribe(connection: AmqpConnection): Promise<void> {
    const { queue, prefetch } = this.#options
    await this.#options.declareQueue(queue)
    if (this.#closing !== undefined) return
    const channel = await connection.channel((error) => {
      if (this.#channel === channel) this.#onFailure(connection, error)
    })
    this.#channel = channel
    await channel.prefetch(prefetch)
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message === null) this.#onFailure(connection, new Error('the queue was deleted'))
      else this.#take(channel, message)
    })
    this.#tag = consumerTag
    this.#hasFailed = false
  }

  #onFailure(connection: AmqpConnection, error: unknown): void {
    const channel = this.#channel
    this.#channel = undefined
    this.#tag = undefined
    channel?.close().catch(() => undefined)
    // Without the connection, the next one attaches.
    if (this.#connection !== connection || !connection.isOpen || this.#closing !== undefined) return
    this.#tell(error)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.attach(connection), RETRY_MS)
  }

  /** The queue's node may be down for hours: the tries that follow say nothing new. */
  #tell(error: unknown): void {
    const { log, queue } = this.#options
    const reason = String(error instanceof Error ? (error.cause ?? error) : error)
    const level = this.#hasFailed ? 'debug' : 'warn'
    this.#hasFailed = true
    log[level]({ event: 'broker-intake-failed', queue, reason }, 'intake tries again')
  }

  #take(channel: Channel, message: ConsumeMessage): void {
    // What came after `close` goes back with the channel.
    if (this.#closing !== undefined) return
    const work = this.#handle(channel, message)
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  async #handle(channel: Channel, message: ConsumeMessage): Promise<void> {
    const isDone = await this.#isHandled(message)
    // A broken handler must not turn into a loop that keeps broker and store busy.
    if (!isDone) await this.#hold()
    try {
      if (isDone) channel.ack(message)
      else channel.nack(message, false, true)
    } catch {
      // The channel is gone, and the message with it: it comes again.
    }
  }

  async #isHandled(message: ConsumeMessage): Promise<boolean> {
    try {
      await this.#options.handler(toConsumed(message))
      return true
    } catch (error) {
      const { log, queue } = this.#options
      log.warn({ event: 'broker-intake-rejected', queue, reason: String(error) }, 'a message is given back')
      return false
    }
  }

  async #hold(): Promise<void> {
    if (this.#closing !== undefined) return
    const held = deferred()
    this.#held.set(
      held,
      setTimeout(() => held.resolve(), this.#options.redeliveryMs),
    )
    await held.promise
    clearTimeout(this.#held.get(held))
    this.#held.delete(held)
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry)
    const channel = this.#channel
    this.#channel = undefined
    if (channel !== undefined && this.#tag !== undefined)
      await channel.cancel(this.#tag).catch(() => undefined)
    for (const held of this.#held.keys()) held.resolve()
    await Promise.all(this.#underWay)
    if (channel !== undefined) await closeChannel(channel)
    this.#options.onClosed()
  }
}

/** Properties under the names of RabbitMQ's STOMP plugin, then the header table; of what is no text, its text. */
function toConsumed(message: ConsumeMessage): ConsumedMessage {
  const { properties, fields, content } = message
  const headers: string[] = []
  const add = (name: string, value: unknown): void => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      headers.push(name, String(value))
    }
  }
  add('content-type', properties.contentType)
  add('content-encoding', properties.contentEncoding)
  add('correlation-id', properties.correlationId)
  add('reply-to', properties.replyTo)
  add('amqp-message-id', properties.messageId)
  add('timestamp', properties.timestamp)
  add('type', properties.type)
  add('user-id', properties.userId)
  add('app-id', properties.appId)
  add('priority', properties.priority)
  for (const [name, value] of Object.entries(properties.headers ?? {})) {
    // A table entry must not pass for a property, `user-id` least of all, and relay headers are no order's.
    const isTaken = RESERVED_SEND_HEADERS.has(name) || name.startsWith('x-relay-') || headers.includes(name)
    if (!isTaken) add(name, value)
  }
  return { headers, body: content, isRedelivered: fields.redelivered }
}
