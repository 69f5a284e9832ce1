/** The life of a STOMP session: it only ever moves forward. */
export type SessionState = 'NEW' | 'CONNECTING' | 'CONNECTED' | 'CLOSING'

export type SessionEvent = 'connect' | 'authenticated' | 'close'

const NEXT: Readonly<Record<SessionState, Partial<Record<SessionEvent, SessionState>>>> = {
  NEW: { connect: 'CONNECTING', close: 'CLOSING' },
  CONNECTING: { authenticated: 'CONNECTED', close: 'CLOSING' },
  CONNECTED: { close: 'CLOSING' },
  CLOSING: {},
}

/** The state after an event, or undefined where the event cannot happen in this state. */
export function nextState(state: SessionState, event: SessionEvent): SessionState | undefined {
  return NEXT[state][event]
}
