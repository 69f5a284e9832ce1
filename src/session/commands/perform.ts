import { violation } from '../../../protocol/errors.ts'
import type { ClientCommand, ClientFrame } from '../../../protocol/frame.ts'
import type { CommandHandler, SessionContext } from '../session-context.ts'
import { ack } from './ack.ts'
import { connect } from './connect.ts'
import { disconnect } from './disconnect.ts'
import { send } from './send.ts'
import { subscribe } from './subscribe.ts'
import { abort, begin, commit } from './transaction.ts'
import { unsubscribe } from './unsubscribe.ts'

const HANDLERS: Readonly<Record<ClientCommand, CommandHandler>> = {
  CONNECT: connect,
  STOMP: connect,
  SEND: send,
  SUBSCRIBE: subscribe,
  UNSUBSCRIBE: unsubscribe,
  ACK: ack,
  NACK: ack,
  BEGIN: begin,
  COMMIT: commit,
  ABORT: abort,
  DISCONNECT: disconnect,
}

/** Runs the handler of a frame; what it throws goes to the client. */
export function perform(session: SessionContext, frame: ClientFrame): Promise<void> | undefined {
  try {
    return handlerOf(session, frame)(session, frame)
  } catch (error) {
    session.fault(error, frame)
    return undefined
  }
}

/** STOMP 1.2, "Connecting": the first frame is CONNECT or STOMP, and only the first. */
function handlerOf(session: SessionContext, frame: ClientFrame): CommandHandler {
  const isNew = session.state === 'NEW'
  const isConnect = frame.command === 'CONNECT' || frame.command === 'STOMP'
  if (isNew && !isConnect) throw violation('not-connected')
  if (!isNew && isConnect) throw violation('already-connected')
  return HANDLERS[frame.command]
}
