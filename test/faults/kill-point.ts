/**
 * Where a node can be made to die on the way of a stored event, in the order of that way: its rows are
 * written and not committed; they are committed and nobody has been told; they are on their way to the
 * broker, or there, and no confirmation was heard; the confirmation was heard and the outbox still has them.
 */
export const KILL_POINTS = ['before-commit', 'after-commit', 'before-confirm', 'before-removal'] as const

export type KillPoint = (typeof KILL_POINTS)[number]

/** Tells a node to kill itself when it comes to this point for the n-th time from now on. */
export interface KillOrder {
  readonly point: KillPoint
  /** From 1 on. */
  readonly occurrence: number
}

export function isKillPoint(text: string): text is KillPoint {
  return KILL_POINTS.some((point) => point === text)
}
