import { MessageError } from '../../errors.ts'
import type { PolicyFacts } from '../../auth/policy.ts'
import { decide } from '../../auth/policy.ts'
import type { Interceptor } from '../chain.ts'

/** Asks the policy table about every SEND and SUBSCRIBE; no row, no way. */
export function authorize(facts: PolicyFacts): Interceptor {
  return (call) => {
    if (call.kind === 'CONNECT') return undefined
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
