import type { Broker } from '../broker/broker.ts'
import type { StreamReader } from '../stream/stream-reader.ts'
import type { StreamCounters } from './hub-streams.ts'

export interface HubOptions {
  readonly broker: Broker
  /** Begins every `message-id`: unique among nodes, and among the runs of one node. */
  readonly nodeId: string
  /** The stored streams. Without them every message passes as it comes. */
  readonly streams?: StreamReader
  readonly limits?: Partial<HubLimits>
  readonly observer?: HubObserver
}

/** What is pending beyond these is sent at once, before the turn ends. */
export interface HubLimits {
  readonly pendingMessages: number
  readonly pendingBytes: number
  /** Topics for which the matching wildcard patterns are remembered. */
  readonly rememberedTopics: number
  /** How often streams are compared with the store, and how long the broker may be behind it: milliseconds. */
  readonly compareMs: number
  readonly compareGraceMs: number
}

export const DEFAULT_LIMITS: HubLimits = {
  pendingMessages: 512,
  pendingBytes: 262_144,
  rememberedTopics: 10_000,
  compareMs: 5000,
  compareGraceMs: 250,
}

/** Rare events, for the log. What happens often is in `Hub.counters`. */
export interface HubObserver {
  hole(reason: string): void
  /** A subscriber broke its contract and threw. */
  subscriberFailed(error: unknown): void
  /** Streams could not be read from the store; it is tried again. */
  storeFailed(error: unknown): void
}

export interface HubCounters extends Readonly<StreamCounters> {
  /** Messages from the broker. */
  readonly received: number
  /** Stored events of this node that subscribers got at once. The broker's copies of them count as duplicates. */
  readonly early: number
  /** Messages handed to subscribers: one message to 500 of them counts 500. */
  readonly delivered: number
  readonly flushes: number
  readonly holes: number
  readonly subscriberFaults: number
}

export function newCounters() {
  return {
    received: 0,
    early: 0,
    delivered: 0,
    flushes: 0,
    holes: 0,
    subscriberFaults: 0,
    duplicates: 0,
    gaps: 0,
    filled: 0,
    trimmed: 0,
    strangers: 0,
    rewound: 0,
    replays: 0,
    replayed: 0,
    notRecovered: 0,
  }
}
