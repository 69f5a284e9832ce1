import { header } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import type { Action, PolicyFacts } from '../../auth/policy.ts'
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

/** Arguments of queues and of their limits, by which RabbitMQ makes another queue than the plain one. */
const ARGUMENT = /^x-(?:queue|dead-letter|max|message-ttl|expires|overflow|stream|single|quorum|delivery)/

/** By these the queue behind a subscription stays when its session has gone. */
const KEPT: ReadonlySet<string> = new Set(['durable:true', 'persistent:true', 'auto-delete:false'])

/**
 * RabbitMQ lets a header name the queue that a subscription makes or consumes, and the exchange that
 * takes its dead letters: what a destination may not reach, such a header may not either. Whoever may
 * have no queues may not shape the one behind a topic either: too short, and with an exchange for what it
 * drops, it would send; kept, it would fill the broker's disk.
 */
function namesAllowedQueues(call: SendCall | SubscribeCall, facts: PolicyFacts): boolean {
  if (!shapesQueue(call)) return true
  const { principal } = call.session
  const may = (action: Action, destination: string): boolean =>
    decide({ principal, action, destination }, facts) === true
  const named = (name: string): string => header(call.headers, name) || 'any'
  return (
    may('SUBSCRIBE', `/queue/${named('x-queue-name')}`) &&
    may('SEND', `/exchange/${named('x-dead-letter-exchange')}`) &&
    may('SEND', `/queue/${named('x-dead-letter-routing-key')}`)
  )
}

function shapesQueue({ kind, destination, headers }: SendCall | SubscribeCall): boolean {
  // There the names are the application's own.
  if (destination.startsWith('/app/')) return false
  return headers.some((name, i) => {
    if (i % 2 === 1) return false
    return ARGUMENT.test(name) || (kind === 'SUBSCRIBE' && KEPT.has(`${name}:${headers[i + 1]}`))
  })
}
