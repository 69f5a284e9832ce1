import type { ClientAccess, ClientPlan } from '../load/client-plan.ts'

const HEADERS = ['content-type', 'text/plain']

/**
 * Topics with a publisher and as many subscribers each. Publishers ask for receipts: what waits out an
 * alarm is then confirmed or refused, and never silently gone.
 */
export function isolationPlan(access: ClientAccess, topics: number): ClientPlan {
  const names = Array.from({ length: topics }, (_, index) => `/topic/bench.${index}`)
  return {
    ...access,
    topics: names.map((name) => ({
      publishTo: name,
      subscribeTo: name,
      headers: HEADERS,
      before: '',
      after: '',
    })),
    isSpread: true,
    bodyOffset: 0,
    hasReceipts: true,
  }
}
