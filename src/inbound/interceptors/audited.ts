import type { Audit } from '../../auth/audit.ts'
import { MessageError } from '../../errors.ts'
import type { ConnectCall, InboundCall } from '../call.ts'
import { runChain, type Interceptor } from '../chain.ts'

type AuditBook = Pick<Audit, 'record' | 'recordFailedLogin'>

/** The interceptors as one, with what they refused written down, and who got in or did not. */
export function audited(interceptors: readonly Interceptor[], audit: AuditBook): Interceptor {
  return (call) => {
    const pending = attempt(() => runChain(interceptors, call), call, audit)
    if (pending === undefined) return undefined
    return pending.then(
      () => {
        if (call.kind === 'CONNECT') connected(call, audit)
      },
      (error: unknown) => {
        refused(call, error, audit)
        throw error
      },
    )
  }
}

function attempt(run: () => void | Promise<void>, call: InboundCall, audit: AuditBook): void | Promise<void> {
  try {
    return run()
  } catch (error) {
    refused(call, error, audit)
    throw error
  }
}

function connected({ principal, login, remoteAddress, isAbandoned }: ConnectCall, audit: AuditBook): void {
  // Whoever left was not looked at.
  if (isAbandoned()) return
  if (principal === undefined) {
    if (login === undefined) audit.record({ kind: 'connect-refused', address: remoteAddress })
    else audit.recordFailedLogin(login, remoteAddress)
    return
  }
  const isByToken = principal.expiresAtMs !== undefined
  if (isByToken) return
  const { name: user, roles } = principal
  audit.record({ kind: 'login', user, roles, address: remoteAddress, about: 'CONNECT' })
}

function refused(call: InboundCall, error: unknown, audit: AuditBook): void {
  if (call.kind === 'CONNECT' || !(error instanceof MessageError) || error.code !== 'forbidden') return
  const { principal, remoteAddress } = call.session
  const about = `${call.kind} ${call.destination}`
  audit.record({ kind: 'refused', user: principal.name, address: remoteAddress, about })
}
