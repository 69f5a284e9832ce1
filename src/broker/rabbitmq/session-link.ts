import { type Frame, header } from '../../../protocol/frame.ts'
import type { BrokerUrl } from '../../config/broker-url.ts'
import { MessageError, SessionError } from '../../errors.ts'
import { deferred } from '../../lib/deferred.ts'
import type { Alarm } from './alarm.ts'
import type { HostOrder } from './host-order.ts'
import type { RabbitMqLimits, RabbitMqTimeouts } from './rabbitmq-settings.ts'
import { bytesOf, type Current, type Job, type RequestOptions, type SessionFrame } from './session-job.ts'
import { softError } from './session-headers.ts'
import { errorText, StompConnection } from './stomp-connection.ts'

export interface SessionLinkOptions {
  readonly url: BrokerUrl
  /** Those of the URL. */
  readonly hosts: HostOrder
  readonly timeouts: RabbitMqTimeouts
  readonly limits: RabbitMqLimits
  readonly alarm: Alarm
  onMessage(frame: Frame): void
  /** The broker cancelled one subscription; the session lives. */
  onCancelled(brokerId: string, reason: string): void
  /** Once, unless we closed it ourselves. Before anything that waits is rejected. */
  onEnd(error: SessionError): void
}

const GOODBYE_MS = 500
/** RabbitMQ ends a connection that is not read for 5 s (`send_timeout`). */
const GIVEN_UP_MS = 2_000

/**
 * One client's STOMP link. ERROR never carries a receipt id, so at most one frame waits for its answer
 * at a time: then an ERROR is that frame's. A RECEIPT that follows the ERROR of its own frame is no
 * success, and nobody waits for it any more. Nothing is ever sent again.
 */
export class SessionLink {
  readonly #options: SessionLinkOptions
  readonly #waiting: Job[] = []
  #connection: StompConnection | undefined
  #current: Current | undefined
  /** The first that waits is not ready yet. */
  #isPreparing = false
  /** Since the last answer, frames went out that asked for none. */
  #hasUnanswered = false
  /** Set while the first that waits must not go out yet. */
  #hold: { readonly stopListening: () => void; readonly timer: NodeJS.Timeout } | undefined
  #receipts = 0
  #waitingBytes = 0
  /** Since when the client has had to read first. */
  #pausedSince: number | undefined
  #over: SessionError | undefined

  constructor(options: SessionLinkOptions) {
    this.#options = options
  }

  /** Tries the hosts in turn. @throws MessageError `broker-unavailable` */
  async open(): Promise<void> {
    const { url, hosts, timeouts } = this.#options
    const deadline = AbortSignal.timeout(timeouts.answerMs)
    const options = {
      url,
      connectTimeoutMs: timeouts.connectMs,
      heartBeatMs: timeouts.heartBeatMs,
      onFrame: this.#onFrame.bind(this),
    }
    let cause: unknown
    for (const host of hosts.list()) {
      try {
        const connection = await StompConnection.open(host, options, deadline)
        hosts.found(host)
        this.#adopt(connection)
        return
      } catch (error) {
        cause = error
      }
    }
    throw new MessageError('broker-unavailable', 'the broker is away', { cause })
  }

  /**
   * Sends frames after all that were requested before.
   *
   * @throws MessageError, SessionError
   */
  async request(frames: readonly SessionFrame[], options: RequestOptions): Promise<void> {
    if (this.#over !== undefined) throw this.#over
    const { limits, timeouts, alarm } = this.#options
    const { sessionPending, sessionPendingBytes } = limits
    const publishes = frames.some(({ command }) => command === 'SEND')
    const isPatient = options.isAnswered || options.isOfTransaction === true
    if (publishes && !isPatient && alarm.isOn) throw this.#blocked()
    // Under a memory alarm the broker reads nothing, and what is written waits in this process.
    const bytes = this.#waitingBytes + (this.#connection?.bufferedBytes ?? 0)
    if (this.#waiting.length >= sessionPending || bytes > sessionPendingBytes) {
      throw new MessageError('too-many-pending', 'too many frames wait for the broker')
    }
    const deadline = performance.now() + timeouts.answerMs
    const isReady = options.before === undefined
    const job = { ...options, frames, publishes, deadline, isReady, done: deferred() }
    this.#waiting.push(job)
    this.#waitingBytes += bytesOf(job)
    this.#next()
    await job.done.promise
  }

  /** Takes nothing from the broker until `room` resolves. */
  pauseUntil(room: Promise<void>): void {
    const connection = this.#connection
    if (connection === undefined || this.#pausedSince !== undefined) return
    this.#pausedSince = performance.now()
    connection.pause()
    void room.then(() => {
      this.#pausedSince = undefined
      connection.resume()
    })
  }

  /** Sends what waits, says goodbye within a bound, and leaves nothing. Idempotent. */
  async close(): Promise<void> {
    if (this.#over !== undefined) return
    const goodbye = this.request([{ command: 'DISCONNECT', headers: [] }], { isAnswered: true })
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GOODBYE_MS)
    })
    await Promise.race([goodbye.catch(() => undefined), timeout])
    clearTimeout(timer)
    this.#finish(closedByClient())
  }

  /** The node closes: the client is told. */
  end(error: SessionError): void {
    if (this.#over !== undefined) return
    this.#over = error
    this.#options.onEnd(error)
    this.#finish(error)
  }

  #adopt(connection: StompConnection): void {
    this.#connection = connection
    void connection.closed.then((error) => {
      if (this.#isGivenUp()) this.#fail('client-too-slow', 'the broker waits no longer for the client', error)
      else this.#fail('broker-unavailable', this.#lostText(), error)
    })
    // It was closed while it was being opened.
    if (this.#over !== undefined) connection.destroy()
  }

  #next(): void {
    while (this.#current === undefined && this.#connection !== undefined && !this.#isPreparing) {
      const job = this.#waiting[0]
      if (job === undefined) return
      if (!job.isReady) {
        this.#prepare(job)
        return
      }
      if (job.publishes && this.#options.alarm.isOn) {
        this.#wait(job)
        return
      }
      this.#shift()
      this.#start(job, this.#connection)
    }
  }

  #prepare(job: Job): void {
    job.isReady = true
    this.#isPreparing = true
    void job.before?.().then(() => {
      this.#isPreparing = false
      this.#next()
    })
  }

  #shift(): void {
    const job = this.#waiting.shift()
    if (job !== undefined) this.#waitingBytes -= bytesOf(job)
  }

  /**
   * Lets the first wait for the end of an alarm. RabbitMQ would take this one SEND, and then read nothing
   * more of this link, the client's acknowledgements included.
   */
  #wait(job: Job): void {
    if (this.#hold !== undefined) return
    const stopListening = this.#options.alarm.onEnd(() => {
      this.#release()
      this.#next()
    })
    const timer = setTimeout(() => this.#giveUp(job), Math.max(0, job.deadline - performance.now()))
    this.#hold = { stopListening, timer }
  }

  #release(): void {
    this.#hold?.stopListening()
    clearTimeout(this.#hold?.timer)
    this.#hold = undefined
  }

  #giveUp(job: Job): void {
    this.#release()
    const error = this.#blocked()
    if (job.isOfTransaction === true) {
      // Whoever sends COMMIT next would commit the rest.
      this.#fail(error.code, error.message)
      return
    }
    this.#shift()
    job.done.reject(error)
    this.#next()
  }

  #blocked(): MessageError {
    const reason = this.#options.alarm.reason ?? 'an alarm'
    return new MessageError('broker-unavailable', `the broker takes no messages now: ${reason}`)
  }

  #start(job: Job, connection: StompConnection): void {
    const { frames, isAnswered } = job
    const last = frames.length - 1
    const receipt = `r-${++this.#receipts}`
    frames.forEach(({ command, headers, body }, i) => {
      const asks = isAnswered && i === last
      connection.send(command, asks ? [...headers, 'receipt', receipt] : headers, body)
    })
    if (!isAnswered) {
      this.#hasUnanswered = true
      this.#handOver(job, connection)
      return
    }
    const timer = setTimeout(() => {
      const { isOn, reason } = this.#options.alarm
      const why = isOn ? `: it takes no messages now, ${reason}` : ''
      this.#fail('broker-unavailable', `the broker did not answer in time${why}`)
    }, this.#options.timeouts.answerMs)
    const receipts = new Set([receipt, ...(job.alsoAwaits ?? [])])
    this.#current = { job, receipts, isAmbiguous: this.#hasUnanswered, timer }
    this.#hasUnanswered = false
  }

  /** Nobody answers, so that it is done when the kernel has it: who sends faster than that has to wait. */
  #handOver({ done }: Job, connection: StompConnection): void {
    const drained = connection.drained()
    if (drained === undefined) {
      done.resolve()
      return
    }
    const timer = setTimeout(done.resolve, this.#options.timeouts.answerMs)
    void drained.then(() => {
      clearTimeout(timer)
      done.resolve()
    })
  }

  #onFrame(frame: Frame): void {
    if (frame.command === 'MESSAGE') this.#options.onMessage(frame)
    else if (frame.command === 'RECEIPT') this.#onReceipt(frame)
    else if (frame.command === 'ERROR') this.#onError(frame)
  }

  #onReceipt(frame: Frame): void {
    const receipts = this.#current?.receipts
    if (receipts?.delete(header(frame.headers, 'receipt-id') ?? '') === true && receipts.size === 0) {
      this.#settle()
    }
  }

  #onError(frame: Frame): void {
    const brokerId = header(frame.headers, 'subscription')
    const reason = header(frame.headers, 'message') ?? 'ERROR'
    const soft = softError(frame)
    if (brokerId !== undefined) this.#options.onCancelled(brokerId, reason)
    else if (soft !== undefined && this.#current?.isAmbiguous === false) this.#settle(soft)
    else this.#fail('broker-refused', `the broker ended the session: ${reason}`, new Error(errorText(frame)))
  }

  #settle(error?: MessageError): void {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    clearTimeout(current.timer)
    if (error === undefined) current.job.done.resolve()
    else current.job.done.reject(error)
    this.#next()
  }

  /** Whether the broker had less patience than we with a client that does not read what it asked for. */
  #isGivenUp(): boolean {
    return this.#pausedSince !== undefined && performance.now() - this.#pausedSince > GIVEN_UP_MS
  }

  /** RabbitMQ ends a connection without a word where a queue refuses a message (`x-overflow`). */
  #lostText(): string {
    const isUnconfirmed = this.#current?.job.publishes === true || this.#current?.job.alsoAwaits !== undefined
    return isUnconfirmed
      ? 'the broker closed the connection instead of confirming the message'
      : 'the connection to the broker is over'
  }

  #fail(code: string, message: string, cause?: Error): void {
    this.end(new SessionError(code, message, { cause }))
  }

  #finish(error: SessionError): void {
    this.#over ??= error
    this.#release()
    this.#connection?.destroy()
    const current = this.#current
    this.#current = undefined
    clearTimeout(current?.timer)
    current?.job.done.reject(error)
    for (const job of this.#waiting.splice(0)) job.done.reject(error)
  }
}

function closedByClient(): SessionError {
  return new SessionError('broker-session-closed', 'the broker session is closed')
}
