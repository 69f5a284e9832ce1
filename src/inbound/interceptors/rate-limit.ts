import { violation } from '../../../protocol/errors.ts'
import type { Role } from '../../auth/principal.ts'
import { MessageError } from '../../errors.ts'
import type { SessionView } from '../call.ts'
import type { Interceptor } from '../chain.ts'

export interface RateLimitOptions {
  readonly sendsPerSecond: number
  /** SENDs at once, after a rest. */
  readonly burst: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

/** Whoever goes on for so long with what is refused is closed. */
const PATIENCE_MS = 10_000
/** A second without a refusal, and all is forgotten. */
const FORGET_MS = 1000

const UNLIMITED: ReadonlySet<Role> = new Set(['service', 'admin'])

/** What one session has left, and for how long it has been asking for more. */
interface Allowance {
  left: number
  countedAtMs: number
  refusedSinceMs: number
  refusedAtMs: number
}

/**
 * Bounds the SENDs of each session (CONTRACT, section 8), services and administrators excepted: refuses
 * with `rate-limited`, and ends the session of a client that does not slow down. A SUBSCRIBE counts as one: it
 * may bind at the broker, ask the database, and answer with more than a SEND costs.
 */
export function rateLimit({ sendsPerSecond, burst, now = monotonic }: RateLimitOptions): Interceptor {
  const allowances = new WeakMap<SessionView, Allowance>()
  return (call) => {
    if (call.kind === 'CONNECT' || isUnlimited(call.session)) return undefined
    const nowMs = now()
    const allowance = allowances.get(call.session) ?? newAllowance(burst, nowMs)
    allowances.set(call.session, allowance)
    const earned = ((nowMs - allowance.countedAtMs) / 1000) * sendsPerSecond
    allowance.left = Math.min(burst, allowance.left + earned)
    allowance.countedAtMs = nowMs
    if (allowance.left < 1)
      refuse(allowance, nowMs, `more than ${sendsPerSecond} SENDs and SUBSCRIBEs a second`)
    allowance.left -= 1
  }
}

function refuse(allowance: Allowance, nowMs: number, why: string): never {
  if (nowMs - allowance.refusedAtMs > FORGET_MS) allowance.refusedSinceMs = nowMs
  allowance.refusedAtMs = nowMs
  if (nowMs - allowance.refusedSinceMs >= PATIENCE_MS) throw violation('too-many-sends')
  throw new MessageError('rate-limited', why)
}

function newAllowance(burst: number, nowMs: number): Allowance {
  return { left: burst, countedAtMs: nowMs, refusedSinceMs: nowMs, refusedAtMs: -Infinity }
}

function isUnlimited({ principal }: SessionView): boolean {
  return principal.roles.some((role) => UNLIMITED.has(role))
}

function monotonic(): number {
  return performance.now()
}
