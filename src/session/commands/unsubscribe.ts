import { violation } from '../../../protocol/errors.ts'
import { header, type ClientFrame, type HeaderList } from '../../../protocol/frame.ts'
import type { SessionContext } from '../session-context.ts'
import { subscriptionIdOf } from './subscription-id.ts'

/** UNSUBSCRIBE. Only what lives at the broker is ended there: RabbitMQ would end us for an unknown id. */
export function unsubscribe(session: SessionContext, frame: ClientFrame): Promise<void> {
  const id = subscriptionIdOf(session, frame)
  const subscription = session.subscriptions.remove(id)
  if (subscription === undefined && !removesDurable(frame.headers))
    throw violation('unknown-subscription', id)
  const isAtBroker = subscription === undefined || subscription.kind === 'broker'
  return session.settle(frame, isAtBroker ? atBroker(session, id, frame.headers) : Promise.resolve())
}

/** A durable topic subscription outlives its session, and is removed by id (RabbitMQ's STOMP guide). */
function removesDurable(headers: HeaderList): boolean {
  return header(headers, 'durable') === 'true' || header(headers, 'persistent') === 'true'
}

async function atBroker(session: SessionContext, id: string, headers: HeaderList): Promise<void> {
  const own = await session.link.own()
  await own.unsubscribe(id, headers)
}
