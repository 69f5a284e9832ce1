import { isReservedName } from '../../../protocol/destination.ts'
import { header } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import type { PolicyFacts } from '../../auth/policy.ts'
import { decide } from '../../auth/policy.ts'
import type { SendCall, SubscribeCall } from '../call.ts'
import type { Interceptor } from '../chain.ts'

/** Asks the policy table about every SEND and SUBSCRIBE; no row, no way. */
export function authorize(facts: PolicyFacts): Interceptor {
  return (call) => {
    if (call.kind === 'CONNECT') return undefined
    refuseUnless(namesAllowedQueues(call, facts), call)
    const decision = decide(
      { principal: call.session.principal, action: call.kind, destination: call.destination },
      facts,
    )
    if (typeof decision === 'boolean') {
      refuseUnless(decision, call)
      return undefined
    }
    return decision.then((isAllowed) => refuseUnless(isAllowed, call))
  }
}

function refuseUnless(isAllowed: boolean, call: { kind: string; destination: string }): void {
  if (!isAllowed) throw new MessageError('forbidden', `${call.kind} to ${call.destination} is not allowed`)
}

/**
 * RabbitMQ lets a header name the queue that a subscription makes or consumes, and the exchange that
 * takes its dead letters: what a destination may not reach, such a header may not either.
 */
function namesAllowedQueues(call: SendCall | SubscribeCall, facts: PolicyFacts): boolean {
  const exchange = header(call.headers, 'x-dead-letter-exchange')
  const key = header(call.headers, 'x-dead-letter-routing-key')
  const queue = header(call.headers, 'x-queue-name')
  if ([exchange, key].some((name) => name !== undefined && isReservedName(name))) return false
  if (queue === undefined) return true
  const { principal } = call.session
  return decide({ principal, action: 'SUBSCRIBE', destination: `/queue/${queue}` }, facts) === true
}
