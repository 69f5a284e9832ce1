import { randomUUID } from 'node:crypto'
import { MessageError, type FaultCode } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

/** What a client is told about a frame that had no effect. */
export interface Fault {
  readonly code: FaultCode
  readonly message: string
}

/**
 * Turns what was thrown into what a client may know. Errors of ours speak for themselves; anything
 * else is an internal error, of which the client gets an id and the log the rest.
 */
export function faultOf(error: unknown, context: { log: Log; sessionId: string }): Fault {
  if (error instanceof MessageError) {
    // What lies behind it is for the log only.
    if (error.cause !== undefined) {
      context.log.warn(
        { event: 'refused', code: error.code, session: context.sessionId, err: error },
        error.message,
      )
    }
    return { code: error.code, message: error.message }
  }
  const errorId = randomUUID()
  context.log.error(
    { event: 'internal-error', errorId, session: context.sessionId, err: error },
    'internal error',
  )
  return { code: 'internal', message: `internal error ${errorId}` }
}
