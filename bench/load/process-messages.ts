import type { LatencyCounts } from '../measure/latency-histogram.ts'
import type { ClientPlan, ConnectHeaders } from './client-plan.ts'
import type { Faults } from './delivery-checker.ts'

// What the bench and its load generators say to each other over IPC. Progress of deliveries goes from
// subscribers to the publisher directly (`progress-link.ts`).

export interface SubscriberStart {
  readonly type: 'start'
  readonly plan: ClientPlan
  readonly publishers: number
  /** One client each. */
  readonly clients: readonly ConnectHeaders[]
  readonly progressPort: number
  /** One delivery in this many is timed. */
  readonly timedOneIn: number
}

export type ToSubscriber =
  | SubscriberStart
  | { readonly type: 'mark' }
  | { readonly type: 'finish'; readonly published: readonly number[] }

export interface SubscriberMark {
  readonly type: 'mark'
  readonly atUs: number
  readonly cpuUs: number
  readonly deliveries: number
  readonly reads: number
  readonly bytes: number
  /** Of deliveries since the mark before. */
  readonly latency: LatencyCounts
  /** Up to now: `lost` is what later messages have overtaken. */
  readonly faults: Faults
}

export interface SubscriberResult {
  readonly type: 'result'
  readonly faults: Faults
}

export type FromSubscriber =
  | { readonly type: 'ready' }
  | SubscriberMark
  | SubscriberResult
  | { readonly type: 'failed'; readonly reason: string }

export type Pacing =
  | { readonly kind: 'saturated'; readonly window: number }
  | { readonly kind: 'paced'; readonly messagesPerSecond: number }

export interface PublisherStart {
  readonly type: 'start'
  readonly plan: ClientPlan
  /** One publisher each. */
  readonly clients: readonly ConnectHeaders[]
  readonly pacing: Pacing
  /** Subscriber processes that will report progress. */
  readonly reporters: number
}

export type ToPublisher =
  PublisherStart | { readonly type: 'go' } | { readonly type: 'mark' } | { readonly type: 'stop' }

export interface PublisherMark {
  readonly type: 'mark'
  readonly cpuUs: number
  readonly published: number
  /** Not everywhere yet, or without RECEIPT. */
  readonly unfinished: number
  /** A paced publisher has had to hold back. */
  readonly hasHeldBack: boolean
}

export interface PublisherResult {
  readonly type: 'stopped'
  /** By publisher. */
  readonly published: readonly number[]
  /** Everything had arrived everywhere, receipts too, before patience ended. */
  readonly isDrained: boolean
  /** A paced publisher had to hold back because too much was unfinished. */
  readonly hasHeldBack: boolean
}

export type FromPublisher =
  | { readonly type: 'listening'; readonly progressPort: number }
  | { readonly type: 'ready' }
  | PublisherMark
  | PublisherResult
  | { readonly type: 'failed'; readonly reason: string }
