import { violation } from '../../../protocol/errors.ts'
import { type ClientFrame, type HeaderList } from '../../../protocol/frame.ts'
import type { SessionContext } from '../session-context.ts'
import { isDurable, subscriptionIdOf } from './subscription-id.ts'

/**
 * UNSUBSCRIBE. Only what lives at the broker is ended there: RabbitMQ would end us for an unknown id. One that
 * the client could not know to be over is answered as if it had not been.
 */
export function unsubscribe(session: SessionContext, frame: ClientFrame): Promise<void> {
  const id = subscriptionIdOf(session, frame)
  const wasLost = session.subscriptions.takeLost(id)
  const subscription = session.subscriptions.remove(id)
  const isAtBroker = subscription === undefined ? isDurable(frame.headers) : subscription.kind === 'broker'
  if (subscription === undefined && !isAtBroker && !wasLost) throw violation('unknown-subscription', id)
  return session.settle(frame, isAtBroker ? atBroker(session, id, frame.headers) : Promise.resolve())
}

async function atBroker(session: SessionContext, id: string, headers: HeaderList): Promise<void> {
  const own = await session.link.own()
  await own.unsubscribe(id, headers)
}
