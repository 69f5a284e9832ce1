import type { CloseCode } from '../../protocol/close-codes.ts'
import type { ClientFrame } from '../../protocol/frame.ts'
import type { Version } from '../../protocol/version.ts'
import type { AuthenticatedPrincipal } from '../auth/principal.ts'
import type { BrokerLink } from '../inbound/broker-link.ts'
import type { SessionView, UpgradeCredentials } from '../inbound/call.ts'
import type { RegisteredSession } from '../user/session-registry.ts'
import type { SessionServices } from './session-services.ts'
import type { SessionEvent, SessionState } from './session-state.ts'
import type { Settled } from './settled.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Transactions } from './transactions.ts'
import type { SessionTransport } from './transport.ts'

/** A session as its commands see it: what they may look at, and what they may make it do. */
export interface SessionContext extends RegisteredSession {
  /** Who this is, for whoever acts on its frames. */
  readonly view: SessionView
  readonly services: SessionServices
  readonly transport: SessionTransport
  readonly upgrade: UpgradeCredentials
  readonly subscriptions: Subscriptions
  readonly transactions: Transactions
  readonly state: SessionState
  /** The client's way to the broker, made at the first call. */
  readonly link: BrokerLink
  /** What the client negotiated; until then what errors are written in. */
  version: Version

  /** @returns whether the event could happen */
  move(event: SessionEvent): boolean

  /** Says who it is, and for how long; before that `view` and `link` throw. */
  authenticated(principal: AuthenticatedPrincipal): void

  /** It subscribes to its errors from now on. */
  listens(): void

  /** Waits for what a frame began and tells the client how it ended. Never rejects. */
  settle(frame: ClientFrame, done: Promise<Settled>): Promise<void>

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>

  /** Tells the client that something it asked for was refused. */
  fault(error: unknown, frame: ClientFrame): void

  /** A subscription was ended without the client's wish. */
  cancelled(subscription: string, error: unknown): void

  /** Sends JSON to this session's own subscriptions to `/user/queue/…`. @returns whether it has one */
  reply(destination: string, payload: unknown): boolean

  /** Sends JSON to one subscription. */
  deliver(subscription: string, destination: string, payload: unknown): void

  close(code: CloseCode, reason: string): void
}

/**
 * Acts on one frame and sees to its RECEIPT. Returns a promise, one that never rejects, where the
 * frames behind must wait for it. May throw what the session then tells the client.
 */
export type CommandHandler = (session: SessionContext, frame: ClientFrame) => Promise<void> | undefined
