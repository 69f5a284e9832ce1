/**
 * Milliseconds to wait before try number `attempt` (0 is the first repeat): exponential with full
 * jitter, so that a crowd that lost its server together does not come back together.
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
  return Math.round(random() * ceiling)
}
