const BUCKETS_PER_DOUBLING = 16
const BUCKETS = 40 * BUCKETS_PER_DOUBLING

/** Counts of microseconds in buckets 4.4 % wide. Plain data, so that processes can hand it over. */
export type LatencyCounts = readonly number[]

export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS)

  record(us: number): void {
    const bucket = us <= 1 ? 0 : Math.floor(Math.log2(us) * BUCKETS_PER_DOUBLING)
    this.#counts[Math.min(bucket, BUCKETS - 1)]!++
  }

  clear(): void {
    this.#counts.fill(0)
  }

  counts(): LatencyCounts {
    return [...this.#counts]
  }
}

export function addCounts(a: LatencyCounts, b: LatencyCounts): LatencyCounts {
  return Array.from({ length: BUCKETS }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0))
}

/** The value below which the given share (0 to 1) of the counts lies, in microseconds; undefined without counts. */
export function percentileUs(counts: LatencyCounts, share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let seen = 0
  for (const [bucket, count] of counts.entries()) {
    seen += count
    if (seen >= total * share) return 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING)
  }
  return undefined
}
