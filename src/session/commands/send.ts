import { EMPTY_BODY, header, type ClientFrame } from '../../../protocol/frame.ts'
import type { SendCall } from '../../inbound/call.ts'
import { deferred } from '../../lib/deferred.ts'
import { ownedBytes } from '../../lib/owned-bytes.ts'
import type { SessionContext } from '../session-context.ts'
import { NO_RECEIPT, type Settled } from '../settled.ts'
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
    carryOut(session, frame, call)
    return undefined
  }
  return accepted
    .then(() => carryOut(session, frame, call))
    .catch((error: unknown) => session.fault(error, frame))
}

/** Begins it; what waits for COMMIT gets its RECEIPT then. */
function carryOut(session: SessionContext, frame: ClientFrame, call: SendCall): void {
  const transaction = header(frame.headers, 'transaction')
  if (transaction === undefined) {
    void session.settle(frame, runSend(session, call))
    return
  }
  session.transactions.check(transaction)
  if (session.services.inbound.isBrokerTransaction(call)) {
    void session.settle(frame, addAtBroker(session, frame, call, transaction))
  } else {
    // They may wait for long: then they must not keep the whole message they came in.
    const body = ownedBytes(frame.body)
    const finish = (): Promise<void> => runSend(session, { ...call, body })
    session.transactions.defer(transaction, { frame: { ...frame, body }, finish })
  }
}

/** To the broker's transaction. Before that commits, nothing is confirmed: the RECEIPT waits. */
function addAtBroker(
  session: SessionContext,
  frame: ClientFrame,
  call: SendCall,
  transaction: string,
): Promise<Settled> {
  const added = deferred<Settled>()
  if (header(frame.headers, 'receipt') !== undefined) {
    session.transactions.defer(transaction, {
      frame: { ...frame, body: EMPTY_BODY },
      finish: () => added.promise,
    })
  }
  return session.link.send(call, transaction).then(
    () => {
      added.resolve()
      return NO_RECEIPT
    },
    (error: unknown) => {
      // The client is told now.
      added.resolve(NO_RECEIPT)
      throw error
    },
  )
}

/** Carries out a SEND outside any transaction, or one that waited for its COMMIT. */
export function runSend(session: SessionContext, call: SendCall): Promise<void> {
  const reply = (destination: string, payload: unknown): void => void session.reply(destination, payload)
  return session.services.inbound.send(call, { link: session.link, reply })
}
