/**
 * What died is the class, why is the code, and the cause is kept for the log. `message` is what a
 * client may be told: no internals, no secrets, no stack.
 */
abstract class RelayError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** Codes that reach clients in `/user/queue/errors` and in problem details. */
export type FaultCode =
  | 'forbidden'
  | 'invalid-token'
  | 'unknown-destination'
  | 'invalid-destination'
  | 'invalid-payload'
  | 'invalid-header'
  | 'unknown-subscription'
  | 'unknown-transaction'
  | 'too-many-subscriptions'
  | 'too-many-pending'
  | 'rate-limited'
  | 'not-found'
  | 'conflict'
  | 'broker-unavailable'
  | 'broker-refused'
  | 'store-unavailable'
  | 'internal'

/** One message or request was refused; the session it came from lives on. */
export class MessageError extends RelayError {
  declare readonly code: FaultCode

  // Narrows the code: a fault a client sees is always one of the table's.
  // eslint-disable-next-line no-useless-constructor
  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** One client session is over: it gets an ERROR frame and a close. Nobody else notices. */
export class SessionError extends RelayError {}

/** The whole node cannot go on, or cannot start. */
export class NodeError extends RelayError {}

/** An HTTP request, upgrades included, is refused; it becomes a problem document (RFC 9457). */
export class RequestError extends RelayError {
  readonly statusCode: number

  constructor(statusCode: number, code: string, message: string) {
    super(code, message)
    this.statusCode = statusCode
  }
}
