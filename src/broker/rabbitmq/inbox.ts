import { createHash, randomBytes } from 'node:crypto'
import { type Frame, header } from '../../../protocol/frame.ts'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import { within } from '../../lib/within.ts'
import type { BrokerReceiver } from '../broker.ts'
import { type InboxMessage, judge, readInboxMessage } from './delivery.ts'
import { FenceLog } from './fence-log.ts'
import { OriginLog } from './origin-log.ts'
import type { Sender } from './relay-headers.ts'
import type { RabbitMqCounters, RabbitMqLimits, RabbitMqTimeouts } from './rabbitmq-settings.ts'
import { errorText, type StompConnection } from './stomp-connection.ts'

export interface InboxOptions {
  readonly sender: Sender
  readonly timeouts: RabbitMqTimeouts
  readonly limits: RabbitMqLimits
  readonly counters: RabbitMqCounters
  readonly receiver: BrokerReceiver
  /** The name of the queue now. */
  queue(): string
  /** See `Publisher.sendFence`. */
  sendFence(queue: string, fence: string): boolean
  /** Whether a fence that was sent should be on its way. */
  canFence(): boolean
  /** The queue is gone or cannot be trusted: it must get another name. Called once for each queue. */
  onGone(reason: string): void
  /** The link is dead though nothing says so. */
  onStalled(): void
}

const SUBSCRIPTION = 'inbox'
const FENCE_RETRY_MS = 1_000

/**
 * Consumes this node's queue over a STOMP link that carries nothing else, so that cumulative
 * acknowledgements span nothing else. Hands everything to the receiver within the read it came in.
 */
export class Inbox {
  readonly #options: InboxOptions
  readonly #token = randomBytes(9).toString('base64url')
  readonly #log: FenceLog
  readonly #origins = new OriginLog()
  #connection: StompConnection | undefined
  #queue: string | undefined
  #subscribed: Deferred<void> | undefined
  #fenceTimer: NodeJS.Timeout | undefined
  #fenceNumber = 0
  /** The number of a fence under way, and when it left. */
  #awaited: { readonly number: number; readonly sentAt: number } | undefined
  #isDirty = false
  #heardAt = 0
  #stalls = 0

  constructor(options: InboxOptions) {
    this.#options = options
    this.#log = new FenceLog({
      maxUnacked: Math.floor(options.limits.inboxPrefetch / 2),
      ackUpTo: (ackId) => this.#connection?.send('ACK', ['id', ackId]),
      onHole: () => this.hole('the inbox was cut off and lost its place'),
    })
  }

  /** Subscribes over a new link; rejects where the queue is not there. */
  async attach(connection: StompConnection): Promise<void> {
    const { timeouts, limits } = this.#options
    const queue = this.#options.queue()
    if (this.#queue === queue) this.#log.onReconnect()
    else this.#log.restart()
    this.#queue = queue
    this.#connection = connection
    this.#subscribed = deferred()
    const headers = {
      id: SUBSCRIPTION,
      destination: `/amq/queue/${queue}`,
      ack: 'client',
      'prefetch-count': String(limits.inboxPrefetch),
      receipt: SUBSCRIPTION,
    }
    connection.send('SUBSCRIBE', Object.entries(headers).flat())
    await within(this.#subscribed.promise, timeouts.answerMs, () => new Error('SUBSCRIBE was not answered'))
    this.#awaited = undefined
    // Shows where the queue ends now: without it a lost anchor would not show before the next message.
    this.#fenceSoon()
  }

  detach(): void {
    this.#connection = undefined
    this.#subscribed?.promise.catch(() => undefined)
    this.#subscribed?.reject(new Error('the link broke'))
    this.#subscribed = undefined
    clearTimeout(this.#fenceTimer)
    this.#fenceTimer = undefined
  }

  /** A fence that was under way may be lost with the publisher's link. */
  onPublisherUp(): void {
    this.#awaited = undefined
    if (this.#connection !== undefined) this.#fenceSoon()
  }

  hole(reason: string): void {
    this.#options.counters.holes += 1
    this.#options.receiver.onHole(reason)
  }

  onFrame(frame: Frame): void {
    if (frame.command === 'MESSAGE') {
      this.#heardAt = performance.now()
      this.#onMessage(readInboxMessage(frame.headers, frame.body))
    } else if (frame.command === 'RECEIPT') {
      this.#subscribed?.resolve()
    } else {
      this.#onError(frame)
    }
  }

  #onMessage(message: InboxMessage): void {
    const fence = this.#fenceOf(message)
    const entry = {
      ackId: message.ackId,
      isRedelivered: message.isRedelivered,
      fence,
      hash: () => hashOf(message),
    }
    const isFresh = this.#log.isFresh(entry)
    if (fence !== undefined) this.#onFence(fence)
    else this.#fenceSoon()
    if (isFresh) this.#handOn(message)
    else if (fence === undefined) this.#options.counters.replayed += 1
  }

  #handOn(message: InboxMessage): void {
    const judged = judge(message, this.#options.sender)
    if (judged === undefined) return
    const { origin, delivery } = judged
    if (origin !== undefined && !this.#origins.isNew(origin.boot, origin.sequence)) {
      this.#options.counters.duplicates += 1
      return
    }
    this.#options.receiver.onMessage(delivery)
  }

  #onError(frame: Frame): void {
    const reason = errorText(frame)
    const queue = this.#queue
    // Soft or fatal, a RECEIPT may follow it, which must not count as success.
    this.#connection?.destroy()
    const isGone = header(frame.headers, 'subscription') !== undefined || reason.startsWith('not_found')
    if (isGone && queue === this.#options.queue()) this.#options.onGone(reason)
  }

  #fenceOf(message: InboxMessage): number | undefined {
    const [token, digits] = message.fence?.split('.') ?? []
    return token === this.#token ? Number(digits) : undefined
  }

  #onFence(number: number): void {
    this.#options.counters.fences += 1
    this.#stalls = 0
    if (this.#awaited !== undefined && number >= this.#awaited.number) this.#awaited = undefined
  }

  #fenceSoon(): void {
    this.#isDirty = true
    this.#fenceTimer ??= setTimeout(() => this.#sendFence(), this.#options.timeouts.fenceMs)
  }

  /** One fence under way at a time, none when nothing has come since the last. */
  #sendFence(): void {
    this.#fenceTimer = undefined
    const queue = this.#queue
    if (this.#connection === undefined || queue === undefined) return
    if (this.#awaited !== undefined && this.#isStalled(this.#awaited.sentAt)) return
    if (this.#awaited === undefined && this.#isDirty) {
      const number = this.#fenceNumber + 1
      if (this.#options.sendFence(queue, `${this.#token}.${number}`)) {
        this.#fenceNumber = number
        this.#isDirty = false
        this.#awaited = { number, sentAt: performance.now() }
      }
    }
    if (this.#awaited !== undefined || this.#isDirty) {
      this.#fenceTimer = setTimeout(() => this.#sendFence(), this.#retryMs())
    }
  }

  #retryMs(): number {
    const { fenceMs } = this.#options.timeouts
    return this.#awaited === undefined ? FENCE_RETRY_MS : Math.max(fenceMs, 10)
  }

  #isStalled(sentAt: number): boolean {
    const now = performance.now()
    const { stallMs } = this.#options.timeouts
    const isWaiting = now - sentAt < stallMs || now - this.#heardAt < stallMs
    if (isWaiting || !this.#options.canFence()) return false
    this.#stalls += 1
    this.#awaited = undefined
    if (this.#stalls > 1) this.#options.onGone('a fence did not come back')
    this.#options.onStalled()
    return true
  }
}

function hashOf(message: InboxMessage): string {
  const hash = createHash('sha256').update(message.destination)
  for (const part of message.headers) hash.update(`${part.length}:${part}`)
  return hash.update(message.said.origin).update(message.body).digest('base64')
}
