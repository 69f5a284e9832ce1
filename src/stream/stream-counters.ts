/** What became of stored events on this node, since it started. For metrics. */
export interface StreamCounters {
  /** Events that the broker has confirmed. */
  relayed: number
  /** Events that the broker kept refusing. */
  givenUp: number
  /** Outbox rows taken over from dead nodes. */
  claimed: number
  /** Times that the lease on this node's name ran out or went to another process. */
  leaseLost: number
  /** Expired events removed. */
  trimmed: number
  /** Expired answers to requests removed. */
  forgotten: number
  /** Requests recognized as repetitions. */
  repeats: number
}

export function createStreamCounters(): StreamCounters {
  return { relayed: 0, givenUp: 0, claimed: 0, leaseLost: 0, trimmed: 0, forgotten: 0, repeats: 0 }
}
