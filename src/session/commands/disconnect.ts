import { CLOSE } from '../../../protocol/close-codes.ts'
import type { ClientFrame } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import { within } from '../../lib/within.ts'
import type { SessionContext } from '../session-context.ts'

/**
 * DISCONNECT: its RECEIPT says that everything sent before has been dealt with (STOMP 1.2,
 * "DISCONNECT"), so it waits for that, within a bound; and that what the client did not acknowledge is
 * for others again.
 */
export async function disconnect(session: SessionContext, frame: ClientFrame): Promise<void> {
  try {
    await within(session.idle(), session.services.disconnectTimeoutMs, unfinished)
  } catch (error) {
    session.fault(error, frame)
    session.close(CLOSE.protocolError, 'not all frames were dealt with')
    return
  }
  // What the broker still handed to this session would be lost with it; the bound is the link's own, and
  // whether it failed is logged where the session ends.
  if (session.link.hasOwn) await Promise.allSettled([session.link.close()])
  await session.settle(frame, Promise.resolve())
  session.close(CLOSE.normal, 'goodbye')
}

function unfinished(): Error {
  return new MessageError('broker-unavailable', 'frames are still waiting for the broker')
}
