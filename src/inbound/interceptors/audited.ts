import { ProtocolViolation } from '../../../protocol/errors.ts'
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
  const { name: user, roles, expiresAtMs, loginId } = principal
  // That was written down when the login began.
  if (loginId !== undefined) return
  const kind = expiresAtMs === undefined ? 'login' : 'connected'
  audit.record({ kind, user, roles, address: remoteAddress, about: 'CONNECT' })
}

/** Violations by which a client is kept out for what it did too often. */
const LOCK_OUTS: ReadonlySet<string> = new Set(['too-many-logins', 'too-many-sends'])

function refused(call: InboundCall, error: unknown, audit: AuditBook): void {
  if (error instanceof ProtocolViolation && LOCK_OUTS.has(error.code)) {
    const { remoteAddress: address } = call.kind === 'CONNECT' ? call : call.session
    const user = call.kind === 'CONNECT' ? {} : { user: call.session.principal.name }
    audit.record({ kind: 'locked-out', ...user, address, about: `${call.kind}: ${error.code}` })
    return
  }
  if (call.kind === 'CONNECT' || !(error instanceof MessageError) || error.code !== 'forbidden') return
  const { principal, remoteAddress } = call.session
  const about = `${call.kind} ${call.destination}`
  audit.record({ kind: 'refused', user: principal.name, address: remoteAddress, about })
}
