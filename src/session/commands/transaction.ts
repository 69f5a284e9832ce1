import type { ClientFrame } from '../../../protocol/frame.ts'
import type { SessionContext } from '../session-context.ts'
import type { DeferredSend } from '../transactions.ts'
import { requiredHeader } from './required-header.ts'

/** BEGIN: the broker's transaction, and a list of what runs here when it commits. */
export function begin(session: SessionContext, frame: ClientFrame): undefined {
  const transaction = requiredHeader(frame, 'transaction')
  session.transactions.begin(transaction)
  void session.settle(
    frame,
    atBroker(session, (own) => own.begin(transaction)),
  )
}

/** COMMIT: the broker first; its word given, the SENDs get their receipts, and those to `/app` and `/user` run. */
export function commit(session: SessionContext, frame: ClientFrame): Promise<void> {
  const transaction = requiredHeader(frame, 'transaction')
  const deferred = session.transactions.take(transaction)
  return session.settle(frame, commitBoth(session, transaction, deferred))
}

export function abort(session: SessionContext, frame: ClientFrame): undefined {
  const transaction = requiredHeader(frame, 'transaction')
  session.transactions.take(transaction)
  void session.settle(
    frame,
    atBroker(session, (own) => own.abort(transaction)),
  )
}

type Own = Awaited<ReturnType<SessionContext['link']['own']>>

async function atBroker(session: SessionContext, act: (own: Own) => Promise<void>): Promise<void> {
  await act(await session.link.own())
}

async function commitBoth(
  session: SessionContext,
  transaction: string,
  deferred: readonly DeferredSend[],
): Promise<void> {
  await atBroker(session, (own) => own.commit(transaction))
  // Each answers for itself: its own RECEIPT, or its own fault.
  await Promise.all(deferred.map(({ frame, finish }) => session.settle(frame, finish())))
}
