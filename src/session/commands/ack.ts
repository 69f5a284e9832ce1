import { violation } from '../../../protocol/errors.ts'
import { header, type ClientFrame } from '../../../protocol/frame.ts'
import type { SessionContext } from '../session-context.ts'
import { requiredHeader } from './required-header.ts'

/** ACK and NACK. 1.2 names the message by `id`, 1.0 and 1.1 by `message-id`; 1.0 knows no NACK. */
export function ack(session: SessionContext, frame: ClientFrame): undefined {
  if (frame.command === 'NACK' && session.version === '1.0') throw violation('unknown-command', 'NACK in 1.0')
  const ackId = requiredHeader(frame, session.version === '1.2' ? 'id' : 'message-id')
  const transaction = header(frame.headers, 'transaction')
  if (transaction !== undefined) session.transactions.check(transaction)
  if (!session.link.hasOwn) throw violation('unknown-subscription', 'nothing is to be acknowledged')
  void session.settle(
    frame,
    acknowledge(session, frame, { ackId, ...(transaction !== undefined && { transaction }) }),
  )
}

async function acknowledge(
  session: SessionContext,
  frame: ClientFrame,
  { ackId, ...options }: { ackId: string; transaction?: string },
): Promise<void> {
  const own = await session.link.own()
  if (frame.command === 'ACK') await own.ack(ackId, options)
  // RabbitMQ's extension: `requeue:false` sends the message to the dead letters instead.
  else await own.nack(ackId, { ...options, requeue: header(frame.headers, 'requeue') !== 'false' })
}
