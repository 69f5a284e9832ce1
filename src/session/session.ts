import { randomUUID } from 'node:crypto'
import type { CloseCode } from '../../protocol/close-codes.ts'
import { ProtocolViolation, VIOLATIONS, violation } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frame.ts'
import { header } from '../../protocol/frame.ts'
import type { Fault as FaultPayload } from '../../protocol/payload/fault.ts'
import { VERSIONS, type Version } from '../../protocol/version.ts'
import type { AuthenticatedPrincipal } from '../auth/principal.ts'
import { MessageError, SessionError, type FaultCode } from '../errors.ts'
import { Fifo } from '../lib/fifo.ts'
import type { BrokerLink, SessionMessage } from '../inbound/broker-link.ts'
import type { SessionView, UpgradeCredentials } from '../inbound/call.ts'
import type { SessionPeer } from '../user/session-registry.ts'
import { perform } from './commands/perform.ts'
import { EXPIRY_WARNING, Expiry } from './expiry.ts'
import { faultOf, type Fault } from './fault.ts'
import { errorFrame, messageFrame, receiptFrame } from './outgoing.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionServices } from './session-services.ts'
import { nextState, type SessionEvent, type SessionState } from './session-state.ts'
import { NO_RECEIPT, type Settled } from './settled.ts'
import { Subscriptions } from './subscriptions.ts'
import type { SessionTransport } from './transport.ts'
import { Transactions } from './transactions.ts'
import { Workload } from './workload.ts'

/** Faults that may be over when the client comes back. */
const TRANSIENT: ReadonlySet<FaultCode> = new Set([
  'broker-unavailable',
  'store-unavailable',
  'too-many-pending',
  'internal',
])

/**
 * One STOMP session. Frames take effect in the order they come: one that must wait (a CONNECT for its
 * credentials, a SUBSCRIBE for its binding) holds those behind it back, while SENDs overlap, begun in
 * order and only so many at a time. While anything waits the transport does not read, so that what is
 * held back is bounded by what one read brought.
 */
export class Session implements SessionContext {
  readonly id = randomUUID()
  readonly services: SessionServices
  readonly transport: SessionTransport
  readonly upgrade: UpgradeCredentials
  readonly subscriptions = new Subscriptions()
  readonly transactions = new Transactions()
  readonly #workload: Workload
  version: Version = '1.2'
  #state: SessionState = 'NEW'
  #view: (SessionView & { principal: AuthenticatedPrincipal }) | undefined
  readonly #expiry = new Expiry({
    warn: () => this.reply('/user/queue/errors', EXPIRY_WARNING),
    end: () => this.violate(violation('session-ended', 'the token ran out')),
  })
  #link: BrokerLink | undefined
  #waiting = new Fifo<ClientFrame>()
  #isHeld = false
  #messageCount = 0

  constructor(services: SessionServices, transport: SessionTransport, upgrade: UpgradeCredentials) {
    this.services = services
    this.#workload = new Workload(services.turnShare, () => void services.metrics.hot.paced++)
    this.transport = transport
    this.upgrade = upgrade
  }

  get state(): SessionState {
    return this.#state
  }

  /** Takes a frame from the transport. Never throws. */
  receive(frame: ClientFrame): void {
    if (this.#state === 'CLOSING') return
    this.services.metrics.hot.framesReceived++
    if (this.#isHeld) this.#waiting.push(frame)
    else this.#take(frame)
  }

  /** Ends the session for what the client did or could not do: ERROR, then close. */
  violate(reason: ProtocolViolation, frame?: ClientFrame): void {
    const receipt = frame === undefined ? undefined : header(frame.headers, 'receipt')
    this.#violate(reason, receipt === undefined ? [] : ['receipt-id', receipt])
  }

  /** @param headers of the ERROR, which say what it is about */
  #violate(reason: ProtocolViolation, headers: string[]): void {
    if (this.#state === 'CLOSING') return
    this.services.metrics.violations.inc({ code: reason.code })
    // STOMP 1.2, "Protocol Negotiation": this ERROR says what would have been understood.
    if (reason.code === 'unsupported-version') headers.push('version', VERSIONS.toReversed().join(','))
    this.transport.send(errorFrame(reason.message, { version: this.version, headers }))
    this.close(reason.closeCode, reason.message)
  }

  /** The node shuts down. */
  shutDown(): void {
    const { closeCode, message } = VIOLATIONS['shutting-down']
    this.close(closeCode, message)
  }

  expel(why: string): void {
    this.violate(violation('session-ended', why))
  }

  prolong(principal: AuthenticatedPrincipal): void {
    if (this.#state === 'CONNECTED') this.authenticated(principal)
  }

  /** The transport is gone: everything the session held is given back. Idempotent. */
  async end(): Promise<void> {
    this.move('close')
    await this.#release()
  }

  move(event: SessionEvent): boolean {
    const state = nextState(this.#state, event)
    if (state === undefined) return false
    this.#state = state
    return true
  }

  authenticated(principal: AuthenticatedPrincipal): void {
    this.#view ??= { id: this.id, remoteAddress: this.transport.remoteAddress, principal }
    this.#view.principal = principal
    this.#expiry.watch(principal.expiresAtMs)
  }

  listens(): void {
    this.#expiry.remind()
  }

  /** Who this is, for whoever acts on its frames. One object for life, by which others may count. */
  get view(): SessionView {
    if (this.#view === undefined) throw new TypeError('not authenticated')
    return this.#view
  }

  get peer(): SessionPeer {
    const { remoteAddress } = this.transport
    return { transport: 'stomp', version: this.version, remoteAddress }
  }

  get link(): BrokerLink {
    this.#link ??= this.services.inbound.openLink(this.view, {
      onMessage: (message) => this.transport.send(messageFrame(message, this.version)),
      onCancelled: (subscription, reason) => {
        // Where the queue is gone, a new SUBSCRIBE makes another; where its node is, it may come back.
        const message = `the broker cancelled the subscription ${subscription}: ${reason}`
        this.cancelled(subscription, new MessageError('broker-unavailable', message))
      },
      room: () => this.transport.room(),
      onEnd: (error) => this.#brokerSessionEnded(error),
    })
    return this.#link
  }

  async settle(frame: ClientFrame, done: Promise<Settled>): Promise<void> {
    const ended = this.#workload.begin(frame)
    try {
      const settled = await done
      if (settled !== NO_RECEIPT) this.#receipt(frame, settled ?? [])
    } catch (error) {
      this.fault(error, frame)
    } finally {
      ended()
    }
  }

  idle(): Promise<void> {
    return this.#workload.idle()
  }

  fault(error: unknown, frame: ClientFrame): void {
    if (error instanceof ProtocolViolation) {
      this.violate(error, frame)
      return
    }
    if (error instanceof SessionError) {
      this.violate(violation('broker-session-lost', error.message), frame)
      return
    }
    const fault = faultOf(error, { log: this.services.log, sessionId: this.id })
    this.services.metrics.refusals.inc({ code: fault.code })
    const receipt = header(frame.headers, 'receipt')
    const destination = header(frame.headers, 'destination') ?? ''
    if (receipt === undefined) this.#tell(fault, { destination }, [])
    else this.#tell(fault, { destination, receipt }, ['receipt-id', receipt])
  }

  cancelled(subscription: string, error: unknown): void {
    const held = this.subscriptions.cancel(subscription)
    // It may have crossed an UNSUBSCRIBE on its way.
    if (held === undefined) return
    const { destination } = held
    const fault = faultOf(error, { log: this.services.log, sessionId: this.id })
    this.services.metrics.refusals.inc({ code: fault.code })
    this.#tell(fault, { destination }, ['subscription', subscription])
  }

  reply(destination: string, payload: unknown): boolean {
    const ids = this.subscriptions.idsOf(destination)
    for (const id of ids) this.deliver(id, destination, payload)
    return ids.length > 0
  }

  deliver(subscription: string, destination: string, payload: unknown): void {
    const message: SessionMessage = {
      subscription,
      destination,
      messageId: `${this.id}-${this.#messageCount++}`,
      headers: ['content-type', 'application/json'],
      body: Buffer.from(JSON.stringify(payload ?? null)),
    }
    this.transport.send(messageFrame(message, this.version))
  }

  close(code: CloseCode, reason: string): void {
    if (!this.move('close')) return
    this.transport.close(code, reason)
    // At once, not when the peer has answered: what came until then would be taken from queues and lost.
    void this.#release()
  }

  /** Gives back all that the session holds. Idempotent; never rejects. */
  async #release(): Promise<void> {
    this.#waiting = new Fifo()
    this.#expiry.cancel()
    this.subscriptions.closeAll()
    this.services.registry.remove(this)
    try {
      await this.#link?.close()
    } catch (error) {
      const fields = { event: 'session-fault', session: this.id, err: error }
      this.services.log.error(fields, 'a broker session could not be closed')
    }
  }

  #take(frame: ClientFrame): void {
    const done = perform(this, frame)
    // Also where the frame itself took no time: what resolves at once would let none but this session go on.
    const room = (): Promise<void> | undefined => this.#workload.room(frame, this.#state === 'CONNECTED')
    const wait = done === undefined ? room() : done.then(room)
    if (wait === undefined) return
    this.#isHeld = true
    // Before it is connected a client may not send much anyway, and its leaving must be noticed.
    if (this.#state === 'CONNECTED') this.transport.pause()
    wait.then(() => this.#goOn()).catch((error: unknown) => this.fault(error, frame))
  }

  #goOn(): void {
    this.#isHeld = false
    while (!this.#isHeld && this.#state !== 'CLOSING') {
      const frame = this.#waiting.shift()
      if (frame === undefined) {
        this.transport.resume()
        return
      }
      this.#take(frame)
    }
  }

  #receipt(frame: ClientFrame, headers: readonly string[]): void {
    const receiptId = header(frame.headers, 'receipt')
    if (receiptId !== undefined) this.transport.send(receiptFrame(receiptId, headers, this.version))
  }

  #brokerSessionEnded(error: Error): void {
    if (error instanceof SessionError && error.code === 'client-too-slow') {
      this.services.metrics.slowClients.inc()
      const { closeCode, message } = violation('too-slow')
      this.close(closeCode, message)
      return
    }
    this.services.log.warn({ event: 'broker-session-lost', session: this.id, err: error }, error.message)
    // The frame that RabbitMQ ended it for is rejected in this turn, and its ERROR can say which it was.
    setImmediate(() => this.violate(violation('broker-session-lost', error.message)))
  }

  /** To `/user/queue/errors` where the client listens; otherwise it learns by ERROR and close. */
  #tell(fault: Fault, about: { destination: string; receipt?: string }, headers: string[]): void {
    const { code, message } = fault
    const payload: FaultPayload = { code, message, ...about }
    if (!this.reply('/user/queue/errors', payload)) {
      this.#violate(
        violation(TRANSIENT.has(code) ? 'unavailable' : 'refused', `${code}: ${message}`),
        headers,
      )
    }
  }
}
