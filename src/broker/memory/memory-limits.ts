/** Bounds of the in-process broker, which has nothing but this process's memory. */
export interface MemoryLimits {
  /** Queues at once, those of sessions' topic subscriptions included. Beyond: `broker-refused`. */
  readonly queues: number
  /** Waiting messages of one queue. Beyond: `broker-refused`, or for a topic subscription the oldest goes. */
  readonly queueMessages: number
  readonly queueBytes: number
  /** What one session may leave unacknowledged. Beyond: it gets nothing more until it acknowledges. */
  readonly unackedMessages: number
  readonly unackedBytes: number
  /** Subscriptions and private reply queues of one session. Beyond: `too-many-subscriptions`. */
  readonly sessionSubscriptions: number
  /** Open transactions of one session, and what one of them may hold. Beyond: `too-many-pending`. */
  readonly transactions: number
  readonly transactionActions: number
  readonly transactionBytes: number
  /** What one queue hands out before other work gets its turn. */
  readonly turnMessages: number
  readonly turnBytes: number
  /** Least time between two deliveries of an intake message whose handler rejected. */
  readonly redeliveryMs: number
  /** How long `close` waits for consumed queues to run empty and for handlers under way. */
  readonly closeTimeoutMs: number
}

export const DEFAULT_MEMORY_LIMITS: MemoryLimits = {
  queues: 10_000,
  queueMessages: 100_000,
  queueBytes: 67_108_864,
  unackedMessages: 10_000,
  unackedBytes: 16_777_216,
  sessionSubscriptions: 1_000,
  transactions: 16,
  transactionActions: 1_024,
  transactionBytes: 4_194_304,
  turnMessages: 256,
  turnBytes: 65_536,
  redeliveryMs: 1_000,
  closeTimeoutMs: 10_000,
}

/** What happened at the bounds, and what went nowhere. */
export interface MemoryCounters {
  /** Messages refused because their queue was full. */
  refused: number
  /** Oldest messages of topic subscriptions, dropped to make room. */
  droppedOldest: number
  /** Queues that could not be made. */
  queuesRefused: number
  /** Times a session was refused a subscription or a reply queue. */
  subscriptionsRefused: number
  /** Times a transaction was refused its beginning or its next action. */
  transactionsRefused: number
  /** Times a session got nothing more because it had left too much unacknowledged. */
  withheld: number
  /** Messages given back with `requeue:false`. */
  deadLettered: number
  /** Messages to queues that do not exist. */
  unroutable: number
  /** Messages not handled when the consumer of their queue closed: lost if the process ends. */
  leftByConsumer: number
}

export function noCounts(): MemoryCounters {
  return {
    refused: 0,
    droppedOldest: 0,
    queuesRefused: 0,
    subscriptionsRefused: 0,
    transactionsRefused: 0,
    withheld: 0,
    deadLettered: 0,
    unroutable: 0,
    leftByConsumer: 0,
  }
}
