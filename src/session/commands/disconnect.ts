import { CLOSE } from '../../../protocol/close-codes.ts'
import type { ClientFrame } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import { within } from '../../lib/within.ts'
import type { SessionContext } from '../session-context.ts'

/**
 * DISCONNECT: its RECEIPT says that everything sent before has been dealt with (STOMP 1.2,
 * "DISCONNECT"), so it waits for that, within a bound.
 */
export async function disconnect(session: SessionContext, frame: ClientFrame): Promise<void> {
  try {
    await within(session.idle(), session.services.disconnectTimeoutMs, unfinished)
  } catch (error) {
    session.fault(error, frame)
    session.close(CLOSE.protocolError, 'not all frames were dealt with')
    return
  }
  await session.settle(frame, Promise.resolve())
  session.close(CLOSE.normal, 'goodbye')
}

function unfinished(): Error {
  return new MessageError('broker-unavailable', 'frames are still waiting for the broker')
}
