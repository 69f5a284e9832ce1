import { VIOLATIONS, type ViolationRow } from '../../protocol/errors.ts'
import type { FaultCode } from '../../src/errors.ts'

const TRANSIENT: ReadonlySet<FaultCode> = new Set([
  'broker-unavailable',
  'store-unavailable',
  'too-many-pending',
  'internal',
])

function rowOf(code: FaultCode): ViolationRow {
  return VIOLATIONS[TRANSIENT.has(code) ? 'unavailable' : 'refused']
}

/** How the ERROR begins that a fault becomes for a client that does not listen at `/user/queue/errors`. */
export function faultMessage(code: FaultCode): string {
  return `${rowOf(code).message}: ${code}: `
}

/** And how its connection closes. */
export function faultCloseCode(code: FaultCode): number {
  return rowOf(code).closeCode
}
