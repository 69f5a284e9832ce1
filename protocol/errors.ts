import { CLOSE, type CloseCode } from './close-codes.ts'

/** One way to break the protocol, or to be shown out: what the peer is told, and whether to come back. */
export interface ViolationRow {
  /** When it happens; for PROTOCOL.md. */
  readonly condition: string
  /** The ERROR frame's `message`, a detail aside. */
  readonly message: string
  readonly closeCode: CloseCode
  /** Whether the same client may succeed by connecting again, unchanged. */
  readonly reconnect: boolean
  /** Who notices: the decoder alone, or the session that knows who is connected. */
  readonly raisedBy: 'decoder' | 'session'
}

const inDecoder = { closeCode: CLOSE.protocolError, reconnect: false, raisedBy: 'decoder' } as const
const inSession = { closeCode: CLOSE.protocolError, reconnect: false, raisedBy: 'session' } as const

/** Every refusal that ends a connection, in one place. PROTOCOL.md's table is made from it. */
export const VIOLATIONS = {
  'unknown-command': {
    ...inDecoder,
    condition: 'The first line is no command that this side of the connection may send',
    message: 'unknown command',
  },
  'malformed-header': {
    ...inDecoder,
    condition:
      'A header line has no colon or no name, holds a NUL, or a carriage return that no line feed follows',
    message: 'malformed header',
  },
  'bad-escape': {
    ...inDecoder,
    condition: 'A backslash in a header begins no escape of the negotiated version',
    message: 'undefined escape sequence in a header',
  },
  'invalid-utf8': {
    ...inDecoder,
    condition: 'The headers are not valid UTF-8',
    message: 'headers are not valid UTF-8',
  },
  'too-many-headers': {
    ...inDecoder,
    condition: 'A frame has more header lines than `LIMIT_HEADERS`',
    message: 'too many headers',
  },
  'header-too-long': {
    ...inDecoder,
    condition: 'A header line, its line end aside, is longer than `LIMIT_HEADER_BYTES`',
    message: 'header too long',
  },
  'frame-too-large': {
    ...inDecoder,
    closeCode: CLOSE.tooBig,
    condition:
      'A frame, from the first byte of the command to the NUL, is larger than `LIMIT_FRAME_BYTES`, or its `content-length` says that it will be',
    message: 'frame too large',
  },
  'bad-content-length': {
    ...inDecoder,
    condition: '`content-length` is not a plain decimal number',
    message: 'invalid content-length',
  },
  'missing-nul': {
    ...inDecoder,
    condition: 'No NUL follows a body of `content-length` bytes',
    message: 'frame is not terminated by NUL where content-length says',
  },
  'body-not-allowed': {
    ...inDecoder,
    condition: 'A frame other than SEND, MESSAGE and ERROR has a body',
    message: 'this command must not have a body',
  },
  'not-connected': {
    ...inSession,
    condition: 'The first frame is not CONNECT or STOMP',
    message: 'not connected',
  },
  'already-connected': {
    ...inSession,
    condition: 'CONNECT or STOMP comes a second time',
    message: 'already connected',
  },
  'connect-timeout': {
    ...inSession,
    condition: 'No successful CONNECT within 10 s of the upgrade',
    message: 'no CONNECT in time',
    reconnect: true,
  },
  'pre-authentication-budget': {
    ...inSession,
    condition:
      'More than 16 KiB arrived before CONNECT succeeded; one WebSocket message above that is closed with 1009, without ERROR',
    message: 'too many bytes before CONNECTED',
  },
  // The text is fixed and takes no detail: which half of the credentials was wrong is nobody's business.
  'authentication-failed': {
    ...inSession,
    condition: 'CONNECT without valid credentials',
    message: 'authentication failed',
  },
  'too-many-logins': {
    ...inSession,
    closeCode: CLOSE.policy,
    condition:
      'CONNECT with login and passcode from an address that used its `LIMIT_LOGINS_PER_MINUTE` up with wrong ones, or by a name for which 60 wrong ones came within a minute',
    message: 'too many failed logins',
    reconnect: true,
  },
  'frame-timeout': {
    ...inSession,
    condition: 'A frame, or the WebSocket message that it is in, was begun and is not whole after 30 s',
    message: 'frame did not come in time',
    reconnect: true,
  },
  'too-much-at-once': {
    ...inSession,
    closeCode: CLOSE.tooBig,
    condition:
      'While earlier frames wait for their turn, and nothing more is read, what was read already inflates to more than 16 x `LIMIT_FRAME_BYTES`, or is as much in very small frames',
    message: 'too much at once',
  },
  'unsupported-version': {
    ...inSession,
    condition: '`accept-version` names no version spoken here',
    message: 'supported versions are 1.0,1.1,1.2',
  },
  'bad-heart-beat': {
    ...inSession,
    condition: '`heart-beat` is not two plain decimal numbers of milliseconds',
    message: 'invalid heart-beat',
  },
  'missing-header': {
    ...inSession,
    condition: 'A header that the command requires is missing',
    message: 'missing header',
  },
  'bad-header': {
    ...inSession,
    condition: 'A header of the command has a value that means nothing (`ack:later`)',
    message: 'invalid header',
  },
  'duplicate-subscription': {
    ...inSession,
    condition: 'SUBSCRIBE with an id that is in use',
    message: 'subscription id is in use',
  },
  'unknown-subscription': {
    ...inSession,
    condition:
      'UNSUBSCRIBE, ACK or NACK of a subscription or message that is not there; not UNSUBSCRIBE of what the server refused or ended itself',
    message: 'unknown subscription',
  },
  'unknown-transaction': {
    ...inSession,
    condition: 'A transaction is named that was not begun, or begun that is under way',
    message: 'unknown transaction',
  },
  'heart-beat-missed': {
    ...inSession,
    condition: 'Nothing arrived for longer than the negotiated heart-beat and its tolerance',
    message: 'heart-beat missed',
    reconnect: true,
  },
  'too-slow': {
    ...inSession,
    closeCode: CLOSE.tooSlow,
    condition:
      'More than `LIMIT_OUTBOX_BYTES` unsent, or unsent for longer than `LIMIT_OUTBOX_MS`, or a queue of it not read for as long as RabbitMQ waits (`send_timeout`)',
    message: 'client reads too slowly',
    reconnect: true,
  },
  unavailable: {
    ...inSession,
    closeCode: CLOSE.internal,
    condition:
      'The broker or the database is away, or too much waits for it, and the client does not subscribe to `/user/queue/errors`',
    message: 'not available now',
    reconnect: true,
  },
  refused: {
    ...inSession,
    closeCode: CLOSE.policy,
    condition:
      'An application fault (validation, permission, unknown destination) of a client that does not subscribe to `/user/queue/errors`',
    message: 'refused',
  },
  'too-many-sessions': {
    ...inSession,
    closeCode: CLOSE.policy,
    condition: 'The user has `LIMIT_SESSIONS_PER_USER` sessions already',
    message: 'too many sessions',
  },
  'too-many-sends': {
    ...inSession,
    closeCode: CLOSE.policy,
    condition: 'SENDs were refused as `rate-limited` for 10 s, and the client went on',
    message: 'too many SENDs',
  },
  'session-ended': {
    ...inSession,
    closeCode: CLOSE.policy,
    condition: 'The token ran out, the user logged out, or an administrator ended the session',
    message: 'session ended',
  },
  'broker-session-lost': {
    ...inSession,
    closeCode: CLOSE.internal,
    condition: "The client's own session at the broker ended",
    message: 'broker session lost',
    reconnect: true,
  },
  'shutting-down': {
    ...inSession,
    closeCode: CLOSE.shuttingDown,
    condition: 'The node stops',
    message: 'server is shutting down',
    reconnect: true,
  },
  internal: {
    ...inSession,
    closeCode: CLOSE.internal,
    condition: 'A fault of the server',
    message: 'internal error',
    reconnect: true,
  },
} as const satisfies Record<string, ViolationRow>

export type ViolationCode = keyof typeof VIOLATIONS

/** The connection is over, for the reason of one row; `message` is the ERROR frame's `message`. */
export class ProtocolViolation extends Error {
  readonly code: ViolationCode
  readonly closeCode: CloseCode

  constructor(code: ViolationCode, message: string) {
    super(message)
    this.name = 'ProtocolViolation'
    this.code = code
    this.closeCode = VIOLATIONS[code].closeCode
  }
}

/** @param detail appended to the row's message; the peer sees it, so nothing internal may be in it */
export function violation(code: ViolationCode, detail?: string): ProtocolViolation {
  const { message } = VIOLATIONS[code]
  return new ProtocolViolation(code, detail === undefined ? message : `${message}: ${detail}`)
}
