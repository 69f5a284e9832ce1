import type { HeaderList } from '../../protocol/frame.ts'
import type { AuthenticatedPrincipal, Principal } from '../auth/principal.ts'

/** What interceptors and handlers may know of the session a frame came from. */
export interface SessionView {
  readonly id: string
  readonly principal: Principal
  readonly remoteAddress: string
}

/** What came with the WebSocket upgrade, which wins over what the frame says. */
export interface UpgradeCredentials {
  /** The `Authorization` header. */
  readonly authorization?: string
  /** `?access_token=` or `?token=`, for browsers, which cannot set headers. */
  readonly queryToken?: string
}

/** CONNECT or STOMP: who is it? An interceptor answers by setting `principal`. */
export interface ConnectCall {
  readonly kind: 'CONNECT'
  readonly headers: HeaderList
  readonly upgrade: UpgradeCredentials
  readonly remoteAddress: string
  /** Whether the client has left meanwhile, so that nobody waits for the answer. */
  readonly isAbandoned: () => boolean
  principal?: AuthenticatedPrincipal
  /** Whose passcode was looked at, if any was. */
  login?: string
}

export interface SendCall {
  readonly kind: 'SEND'
  readonly session: SessionView
  readonly destination: string
  readonly headers: HeaderList
  readonly body: Uint8Array
}

export interface SubscribeCall {
  readonly kind: 'SUBSCRIBE'
  readonly session: SessionView
  readonly destination: string
  readonly headers: HeaderList
}

/** A frame on its way in, as interceptors see it. */
export type InboundCall = ConnectCall | SendCall | SubscribeCall
