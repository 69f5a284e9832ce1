import { header, type ClientFrame, type HeaderList } from '../../../protocol/frame.ts'
import type { SessionContext } from '../session-context.ts'
import { requiredHeader } from './required-header.ts'

/** The client's id of a subscription. 1.0 may leave it out and go by destination. @throws ProtocolViolation */
export function subscriptionIdOf(session: SessionContext, frame: ClientFrame): string {
  if (session.version !== '1.0') return requiredHeader(frame, 'id')
  return header(frame.headers, 'id') ?? requiredHeader(frame, 'destination')
}

/** A durable topic subscription outlives its session, and is known by its id (RabbitMQ's STOMP guide). */
export function isDurable(headers: HeaderList): boolean {
  return header(headers, 'durable') === 'true' || header(headers, 'persistent') === 'true'
}
