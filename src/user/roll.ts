import type { Presence, PresenceChange } from '../store/store.ts'

type OpenedSession = PresenceChange['opened'][number]

interface Held {
  readonly presence: Presence
  readonly since: string
  /** How many sessions of this node want it. At zero it lingers. */
  count: number
  lingersUntilMs: number
}

export interface RollOptions {
  /** How long a user stays who has left with all sessions, milliseconds: who comes back by then was never away. */
  readonly lingerMs: number
  /** There is something to be written. */
  readonly onChange: () => void
}

/**
 * What this node is to have in the store, what it has there, and how to get from one to the other. What
 * came and went before it was written leaves no trace. Bounded by the sessions of the node, their
 * subscriptions, and what lingers of them.
 */
export class Roll {
  readonly #options: RollOptions
  readonly #sessions = new Map<string, OpenedSession>()
  readonly #held = new Map<string, Held>()
  /** Oldest first. */
  readonly #lingering = new Map<string, Held>()
  readonly #writtenSessions = new Set<string>()
  readonly #written = new Map<string, Presence>()
  readonly #dirtySessions = new Set<string>()
  readonly #dirty = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: RollOptions) {
    this.#options = options
  }

  /** How many sessions and presences may have to be written. */
  get dirtyCount(): number {
    return this.#dirtySessions.size + this.#dirty.size
  }

  open(session: OpenedSession): void {
    this.#sessions.set(session.id, session)
    this.#dirtySessions.add(session.id)
    this.#options.onChange()
  }

  close(id: string): void {
    this.#sessions.delete(id)
    if (!this.#writtenSessions.has(id)) {
      this.#dirtySessions.delete(id)
      return
    }
    this.#dirtySessions.add(id)
    this.#options.onChange()
  }

  hold(presence: Presence): void {
    const key = keyOf(presence)
    const held = this.#held.get(key)
    if (held !== undefined) {
      held.count += 1
      this.#lingering.delete(key)
      return
    }
    const since = new Date().toISOString()
    this.#held.set(key, { presence, since, count: 1, lingersUntilMs: 0 })
    this.#dirty.add(key)
    this.#options.onChange()
  }

  /** Once for each `hold`. */
  release(presence: Presence): void {
    const key = keyOf(presence)
    const held = this.#held.get(key)
    if (held === undefined || --held.count > 0) return
    if (this.#written.has(key)) {
      held.lingersUntilMs = performance.now() + this.#options.lingerMs
      this.#lingering.set(key, held)
      this.#arm()
    } else {
      this.#held.delete(key)
      this.#dirty.delete(key)
    }
  }

  /** What is to be written next, at most so many sessions and presences; it counts as written from now on. */
  take(limit: number): PresenceChange {
    const opened: OpenedSession[] = []
    const closed: string[] = []
    for (const id of first(this.#dirtySessions, limit)) {
      this.#dirtySessions.delete(id)
      const session = this.#sessions.get(id)
      const isWritten = this.#writtenSessions.has(id)
      if (session === undefined && this.#writtenSessions.delete(id)) closed.push(id)
      if (session === undefined || isWritten) continue
      this.#writtenSessions.add(id)
      opened.push(session)
    }
    return { opened, closed, ...this.#takePresences(limit - opened.length - closed.length) }
  }

  /** Nothing is written: all of it has to be. */
  forget(): void {
    this.#writtenSessions.clear()
    this.#written.clear()
    this.#dirtySessions.clear()
    this.#dirty.clear()
    for (const id of this.#sessions.keys()) this.#dirtySessions.add(id)
    for (const key of this.#held.keys()) this.#dirty.add(key)
  }

  /** Nobody leaves any more by lingering too long. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#lingering.clear()
  }

  #takePresences(limit: number): Pick<PresenceChange, 'entered' | 'left'> {
    const entered: PresenceChange['entered'][number][] = []
    const left: Presence[] = []
    for (const key of first(this.#dirty, limit)) {
      this.#dirty.delete(key)
      const held = this.#held.get(key)
      const written = this.#written.get(key)
      if (held !== undefined && written === undefined) {
        this.#written.set(key, held.presence)
        entered.push({ user: held.presence.user, room: held.presence.room, since: held.since })
      } else if (held === undefined && written !== undefined) {
        this.#written.delete(key)
        left.push(written)
      }
    }
    return { entered, left }
  }

  #arm(): void {
    if (this.#timer !== undefined) return
    const [oldest] = this.#lingering.values()
    if (oldest === undefined) return
    const waitMs = Math.max(1, oldest.lingersUntilMs - performance.now())
    this.#timer = setTimeout(() => this.#expire(), waitMs)
  }

  #expire(): void {
    this.#timer = undefined
    const nowMs = performance.now()
    for (const [key, held] of this.#lingering) {
      if (held.lingersUntilMs > nowMs) break
      this.#lingering.delete(key)
      this.#held.delete(key)
      this.#dirty.add(key)
    }
    this.#arm()
    if (this.#dirty.size > 0) this.#options.onChange()
  }
}

function first<T>(items: Iterable<T>, limit: number): T[] {
  const taken: T[] = []
  for (const item of items) {
    if (taken.length >= limit) break
    taken.push(item)
  }
  return taken
}

/** No name holds a line feed. */
function keyOf({ user, room }: Presence): string {
  return `${user}\n${room ?? ''}`
}
