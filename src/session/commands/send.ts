import { header, type ClientFrame } from '../../../protocol/frame.ts'
import type { SendCall } from '../../inbound/call.ts'
import type { SessionContext } from '../session-context.ts'
import { requiredHeader } from './required-header.ts'

/** SEND: accepted in order, carried out in order, but without waiting for the one before to be done. */
export function send(session: SessionContext, frame: ClientFrame): Promise<void> | undefined {
  const call: SendCall = {
    kind: 'SEND',
    session: session.view,
    destination: requiredHeader(frame, 'destination'),
    headers: frame.headers,
    body: frame.body,
  }
  const accepted = session.services.inbound.accept(call)
  if (accepted === undefined) {
    void session.settle(frame, carryOut(session, frame, call))
    return undefined
  }
  return accepted.then(
    () => void session.settle(frame, carryOut(session, frame, call)),
    (error: unknown) => session.fault(error, frame),
  )
}

async function carryOut(session: SessionContext, frame: ClientFrame, call: SendCall): Promise<void> {
  const transaction = header(frame.headers, 'transaction')
  if (transaction === undefined) {
    await runSend(session, call)
  } else if (session.services.inbound.isBrokerTransaction(call)) {
    session.transactions.check(transaction)
    await session.link.send(call, transaction)
  } else {
    session.transactions.defer(transaction, { frame, call })
  }
}

/** Carries out a SEND outside any transaction, or one that waited for its COMMIT. */
export function runSend(session: SessionContext, call: SendCall): Promise<void> {
  const reply = (destination: string, payload: unknown): void => void session.reply(destination, payload)
  return session.services.inbound.send(call, { link: session.link, reply })
}
