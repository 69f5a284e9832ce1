/** How long things may take. All in milliseconds. */
export interface RabbitMqTimeouts {
  /** From the first packet to CONNECTED or open-ok. RabbitMQ at its file limit accepts and never answers. */
  readonly connectMs: number
  /** Declaring and binding everything after a connect. */
  readonly setUpMs: number
  /** Until a published message is confirmed, waiting for the broker included. */
  readonly publishMs: number
  /** Until a watch is bound, a session open, a session's frame answered. */
  readonly answerMs: number
  /** So long a queue that a client's session has used is believed to be there for its next SEND. */
  readonly queueBelievedMs: number
  /** Heart-beats of all links, both ways. A silent one is ended, at both ends, after 2 to 3 of them. */
  readonly heartBeatMs: number
  /** How long a binding stays after its last watch. */
  readonly lingerMs: number
  /** Time between fences while messages come. */
  readonly fenceMs: number
  /** A fence that does not come back for this long, with nothing else coming: the link is dead. */
  readonly stallMs: number
  /**
   * RabbitMQ tells of a memory or disk alarm only when something is published: so long it may go unnoticed
   * by a node that has nothing to publish.
   */
  readonly probeMs: number
  /** An inbox without a consumer for this long is deleted by RabbitMQ. */
  readonly inboxExpiresMs: number
  /** Least time between two deliveries of an intake message whose handler rejected. */
  readonly redeliveryMs: number
}

export const DEFAULT_TIMEOUTS: RabbitMqTimeouts = {
  connectMs: 5_000,
  setUpMs: 30_000,
  publishMs: 10_000,
  answerMs: 10_000,
  queueBelievedMs: 5_000,
  heartBeatMs: 5_000,
  lingerMs: 30_000,
  fenceMs: 50,
  stallMs: 10_000,
  probeMs: 2_000,
  inboxExpiresMs: 120_000,
  redeliveryMs: 1_000,
}

export interface RabbitMqLimits {
  /** Published and not confirmed; beyond it, `too-many-pending`. */
  readonly pendingMessages: number
  readonly pendingBytes: number
  /** Distinct patterns bound; beyond it, `too-many-subscriptions`. */
  readonly bindings: number
  /** Patterns kept bound after their last watch; beyond it, the oldest goes at once. */
  readonly lingering: number
  /** Messages RabbitMQ sends ahead of our acknowledgements. */
  readonly inboxPrefetch: number
  /** Messages and bytes that wait in the inbox while this node is cut off; beyond it, the oldest go. */
  readonly inboxMessages: number
  readonly inboxBytes: number
  /** One client's unacknowledged messages; `prefetch-count` of its subscriptions is capped to it. */
  readonly sessionUnacked: number
  /** One client's frames that wait for their answer; beyond it, `too-many-pending`. */
  readonly sessionPending: number
  /** Bytes of them, and of what the broker has not read yet; beyond it, `too-many-pending`. */
  readonly sessionPendingBytes: number
}

export const DEFAULT_LIMITS: RabbitMqLimits = {
  pendingMessages: 20_000,
  pendingBytes: 64 * 1024 * 1024,
  bindings: 100_000,
  lingering: 5_000,
  inboxPrefetch: 2_000,
  inboxMessages: 200_000,
  inboxBytes: 256 * 1024 * 1024,
  sessionUnacked: 1_000,
  sessionPending: 1_000,
  sessionPendingBytes: 4 * 1024 * 1024,
}

/** What happened since the start, for metrics and tests. */
export interface RabbitMqCounters {
  reconnects: number
  resent: number
  /** Dropped because a publisher had sent them twice. */
  duplicates: number
  /** Dropped because this node had handed them on before its link was cut. */
  replayed: number
  fences: number
  holes: number
  /** Times that RabbitMQ said it takes no messages. */
  alarms: number
}

export function noCounts(): RabbitMqCounters {
  return { reconnects: 0, resent: 0, duplicates: 0, replayed: 0, fences: 0, holes: 0, alarms: 0 }
}
