import { violation } from '../../../protocol/errors.ts'
import type { ClientCommand, ClientFrame } from '../../../protocol/frame.ts'
import type { Session } from '../session.ts'
import { ack } from './ack.ts'
import { connect } from './connect.ts'
import { disconnect } from './disconnect.ts'
import { send } from './send.ts'
import { subscribe } from './subscribe.ts'
import { abort, begin, commit } from './transaction.ts'
import { unsubscribe } from './unsubscribe.ts'

/**
 * Acts on one frame and sees to its RECEIPT. Returns a promise, one that never rejects, where the
 * frames behind must wait for it. May throw what the session then tells the client.
 */
export type CommandHandler = (session: Session, frame: ClientFrame) => Promise<void> | undefined

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
export function perform(session: Session, frame: ClientFrame): Promise<void> | undefined {
  try {
    return handlerOf(session, frame)(session, frame)
  } catch (error) {
    session.fault(error, frame)
    return undefined
  }
}

/** STOMP 1.2, "Connecting": the first frame is CONNECT or STOMP, and only the first. */
function handlerOf(session: Session, frame: ClientFrame): CommandHandler {
  const isNew = session.state === 'NEW'
  const isConnect = frame.command === 'CONNECT' || frame.command === 'STOMP'
  if (isNew && !isConnect) throw violation('not-connected')
  if (!isNew && isConnect) throw violation('already-connected')
  return HANDLERS[frame.command]
}
