import { violation } from '../../../protocol/errors.ts'
import { type ClientFrame, type HeaderList } from '../../../protocol/frame.ts'
import type { SessionContext } from '../session-context.ts'
import { isDurable, subscriptionIdOf } from './subscription-id.ts'

/** UNSUBSCRIBE. Only what lives at the broker is ended there: RabbitMQ would end us for an unknown id. */
export function unsubscribe(session: SessionContext, frame: ClientFrame): Promise<void> {
  const id = subscriptionIdOf(session, frame)
  const subscription = session.subscriptions.remove(id)
  if (subscription === undefined && !isDurable(frame.headers)) throw violation('unknown-subscription', id)
  const isAtBroker = subscription === undefined || subscription.kind === 'broker'
  return session.settle(frame, isAtBroker ? atBroker(session, id, frame.headers) : Promise.resolve())
}

async function atBroker(session: SessionContext, id: string, headers: HeaderList): Promise<void> {
  const own = await session.link.own()
  await own.unsubscribe(id, headers)
}
