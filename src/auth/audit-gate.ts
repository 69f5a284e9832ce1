import type { AuditKind } from '../../protocol/payload/audit.ts'

export interface AuditGateOptions {
  /** At once, after a rest. Default 100. */
  readonly burst?: number
  /** From then on. Default 60. */
  readonly perMinute?: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

interface Bucket {
  left: number
  countedAtMs: number
  omitted: number
}

/** Bounds how many events of each kind are written down, since whoever is refused can come again at once. */
export class AuditGate {
  readonly #burst: number
  readonly #perMinute: number
  readonly #now: () => number
  /** As many as there are kinds. */
  readonly #buckets = new Map<AuditKind, Bucket>()

  constructor(options: AuditGateOptions = {}) {
    this.#burst = options.burst ?? 100
    this.#perMinute = options.perMinute ?? 60
    this.#now = options.now ?? (() => performance.now())
  }

  /** How many of this kind were left out since the last that was let through; undefined: leave this one out too. */
  admit(kind: AuditKind): number | undefined {
    const bucket = this.#bucket(kind)
    if (bucket.left < 1) {
      bucket.omitted += 1
      return undefined
    }
    bucket.left -= 1
    return this.#take(bucket)
  }

  /** The kinds of which some were left out since, and how many: once. */
  omitted(): readonly (readonly [kind: AuditKind, count: number])[] {
    return [...this.#buckets]
      .filter(([, bucket]) => bucket.omitted > 0)
      .map(([kind, bucket]) => [kind, this.#take(bucket)])
  }

  #take(bucket: Bucket): number {
    const { omitted } = bucket
    bucket.omitted = 0
    return omitted
  }

  #bucket(kind: AuditKind): Bucket {
    const nowMs = this.#now()
    const bucket = this.#buckets.get(kind) ?? { left: this.#burst, countedAtMs: nowMs, omitted: 0 }
    this.#buckets.set(kind, bucket)
    const earned = ((nowMs - bucket.countedAtMs) / 60_000) * this.#perMinute
    bucket.left = Math.min(this.#burst, bucket.left + earned)
    bucket.countedAtMs = nowMs
    return bucket
  }
}
