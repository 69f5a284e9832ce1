import { randomUUID } from 'node:crypto'
import type { CloseCode } from '../../protocol/close-codes.ts'
import { ProtocolViolation, VIOLATIONS, violation } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frame.ts'
import { header } from '../../protocol/frame.ts'
import type { Fault as FaultPayload } from '../../protocol/payload/fault.ts'
import { VERSIONS, type Version } from '../../protocol/version.ts'
import type { AuthenticatedPrincipal } from '../auth/tokens.ts'
import { MessageError, SessionError, type FaultCode } from '../errors.ts'
import type { BrokerLink, SessionMessage } from '../inbound/broker-link.ts'
import type { SessionView, UpgradeCredentials } from '../inbound/call.ts'
import { at } from '../lib/at.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import type { SessionPeer } from '../user/session-registry.ts'
import { perform } from './commands/perform.ts'
import { EXPIRY_WARNING_MS } from './expiry.ts'
import { faultOf, type Fault } from './fault.ts'
import { errorFrame, messageFrame, receiptFrame } from './outgoing.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionServices } from './session-services.ts'
import { nextState, type SessionEvent, type SessionState } from './session-state.ts'
import { NO_RECEIPT, type Settled } from './settled.ts'
import { Subscriptions } from './subscriptions.ts'
import type { SessionTransport } from './transport.ts'
import { Transactions } from './transactions.ts'

/** Frames under way at once in one session; the next one waits until one of them is done. */
export const MAX_IN_FLIGHT = 256

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
 * order. While anything waits the transport does not read, so that what is held back is bounded by
 * what one read brought.
 */
export class Session implements SessionContext {
  readonly id = randomUUID()
  readonly services: SessionServices
  readonly transport: SessionTransport
  readonly upgrade: UpgradeCredentials
  readonly subscriptions = new Subscriptions()
  readonly transactions = new Transactions()
  version: Version = '1.2'
  #state: SessionState = 'NEW'
  #principal: AuthenticatedPrincipal | undefined
  #cancelExpiry: (() => void)[] = []
  #link: BrokerLink | undefined
  #waiting: ClientFrame[] = []
  #isHeld = false
  #inFlight = 0
  #settled: Deferred<void> | undefined
  #messageCount = 0

  constructor(services: SessionServices, transport: SessionTransport, upgrade: UpgradeCredentials) {
    this.services = services
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
    if (this.#state === 'CLOSING') return
    this.services.metrics.violations.inc({ code: reason.code })
    const receipt = frame === undefined ? undefined : header(frame.headers, 'receipt')
    const headers = receipt === undefined ? [] : ['receipt-id', receipt]
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

  expel(): void {
    this.violate(violation('session-ended', 'an administrator ended it'))
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
    this.#principal = principal
    this.#forgetExpiry()
    const { expiresAtMs } = principal
    if (expiresAtMs === undefined) return
    const warning = { code: 'token-expiring', message: 'the token of this session runs out', destination: '' }
    this.#cancelExpiry = [
      at(expiresAtMs - EXPIRY_WARNING_MS, () => void this.reply('/user/queue/errors', warning)),
      at(expiresAtMs, () => this.violate(violation('session-ended', 'the token ran out'))),
    ]
  }

  /** Who this is, for whoever acts on its frames. */
  get view(): SessionView {
    if (this.#principal === undefined) throw new TypeError('not authenticated')
    return { id: this.id, principal: this.#principal, remoteAddress: this.transport.remoteAddress }
  }

  get peer(): SessionPeer {
    const { remoteAddress } = this.transport
    return { transport: 'stomp', version: this.version, remoteAddress }
  }

  get link(): BrokerLink {
    this.#link ??= this.services.inbound.openLink(this.view, {
      onMessage: (message) => this.transport.send(messageFrame(message, this.version)),
      onCancelled: (subscription, reason) => this.#cancelled(subscription, reason),
      onEnd: (error) => this.violate(violation('broker-session-lost', error.message)),
    })
    return this.#link
  }

  async settle(frame: ClientFrame, done: Promise<Settled>): Promise<void> {
    this.#inFlight++
    try {
      const settled = await done
      if (settled !== NO_RECEIPT) this.#receipt(frame, settled ?? [])
    } catch (error) {
      this.fault(error, frame)
    } finally {
      this.#inFlight--
      this.#settled?.resolve()
      this.#settled = undefined
    }
  }

  async idle(): Promise<void> {
    while (this.#inFlight > 0) await this.#nextSettled()
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
    this.#tell(fault, frame)
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

  #forgetExpiry(): void {
    for (const cancel of this.#cancelExpiry) cancel()
    this.#cancelExpiry = []
  }

  /** Gives back all that the session holds. Idempotent; never rejects. */
  async #release(): Promise<void> {
    this.#waiting = []
    this.#forgetExpiry()
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
    const wait = perform(this, frame) ?? (this.#inFlight >= MAX_IN_FLIGHT ? this.#nextSettled() : undefined)
    if (wait === undefined) return
    this.#isHeld = true
    // Before it is connected a client may not send much anyway, and its leaving must be noticed.
    if (this.#state === 'CONNECTED') this.transport.pause()
    wait.then(() => this.#goOn()).catch((error: unknown) => this.fault(error, frame))
  }

  #goOn(): void {
    this.#isHeld = false
    const frames = this.#waiting
    this.#waiting = []
    for (const [i, frame] of frames.entries()) {
      if (this.#state === 'CLOSING') return
      this.#take(frame)
      if (this.#isHeld) {
        this.#waiting = frames.slice(i + 1)
        return
      }
    }
    this.transport.resume()
  }

  #nextSettled(): Promise<void> {
    this.#settled ??= deferred()
    return this.#settled.promise
  }

  #receipt(frame: ClientFrame, headers: readonly string[]): void {
    const receiptId = header(frame.headers, 'receipt')
    if (receiptId !== undefined) this.transport.send(receiptFrame(receiptId, headers, this.version))
  }

  #cancelled(subscription: string, reason: string): void {
    const held = this.subscriptions.remove(subscription)
    // It may have crossed an UNSUBSCRIBE on its way.
    if (held === undefined) return
    const error = new MessageError('broker-refused', `the broker cancelled the subscription: ${reason}`)
    this.fault(error, {
      command: 'SUBSCRIBE',
      headers: ['destination', held.destination],
      body: new Uint8Array(0),
    })
  }

  /** To `/user/queue/errors` where the client listens; otherwise it learns by ERROR and close. */
  #tell(fault: Fault, frame: ClientFrame): void {
    const receipt = header(frame.headers, 'receipt')
    const destination = header(frame.headers, 'destination') ?? ''
    const { code, message } = fault
    const payload: FaultPayload = { code, message, destination, ...(receipt !== undefined && { receipt }) }
    if (!this.reply('/user/queue/errors', payload)) {
      this.violate(violation(TRANSIENT.has(code) ? 'unavailable' : 'refused', `${code}: ${message}`), frame)
    }
  }
}
