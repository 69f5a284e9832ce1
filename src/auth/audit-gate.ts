import type { AuditKind } from '../../protocol/payload/audit.ts'
import { Attempts } from '../lib/attempts.ts'

export interface AuditGateOptions {
  /** At once, after a rest. Default 100. */
  readonly burst?: number
  /** From then on. Default 60. */
  readonly perMinute?: number
  /** Of one kind by one user or address within a minute. Default 20. */
  readonly perSource?: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

interface Bucket {
  left: number
  countedAtMs: number
  omitted: number
}

/** What is asked to be written down. */
export interface GatedEvent {
  readonly kind: AuditKind
  /** Whoever it comes from, a user or an address; empty where that is not known. */
  readonly source: string
  /** Whether no flood of others may keep it out. */
  readonly isPrivileged?: boolean
}

/**
 * Bounds how many events of each kind are written down, since whoever is refused can come again at once: first of
 * each source, so that one does not use up what there is for all, and then of the kind.
 */
export class AuditGate {
  readonly #burst: number
  readonly #perMinute: number
  readonly #now: () => number
  readonly #sources: Attempts
  /** As many as there are kinds. */
  readonly #buckets = new Map<AuditKind, Bucket>()

  constructor(options: AuditGateOptions = {}) {
    this.#burst = options.burst ?? 100
    this.#perMinute = options.perMinute ?? 60
    this.#now = options.now ?? (() => performance.now())
    this.#sources = new Attempts({ max: options.perSource ?? 20, now: this.#now })
  }

  /** How many of this kind were left out since the last that was let through; undefined: leave this one out too. */
  admit({ kind, source, isPrivileged = false }: GatedEvent): number | undefined {
    const bucket = this.#bucket(kind)
    if (!this.#admitSource(`${kind} ${source}`, source) || (bucket.left < 1 && !isPrivileged)) {
      bucket.omitted += 1
      return undefined
    }
    bucket.left = Math.max(0, bucket.left - 1)
    return this.#take(bucket)
  }

  #admitSource(key: string, source: string): boolean {
    if (source === '') return true
    if (this.#sources.waitMs(key) > 0) return false
    this.#sources.count(key)
    return true
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
