import type { Principal } from '../auth/principal.ts'

/** One connected session, as the rest of the node sees it. */
export interface RegisteredSession {
  readonly id: string
  readonly view: { readonly principal: Principal }
  shutDown(): void
}

/** The sessions of this node, by user. */
export class SessionRegistry {
  readonly #maxPerUser: number
  readonly #byUser = new Map<string, Set<RegisteredSession>>()
  readonly #userOf = new Map<RegisteredSession, string>()

  constructor(options: { maxPerUser: number }) {
    this.#maxPerUser = options.maxPerUser
  }

  get size(): number {
    return this.#userOf.size
  }

  /** @returns false where the user has as many sessions as one may have */
  add(session: RegisteredSession): boolean {
    const { name } = session.view.principal
    const sessions = this.#byUser.get(name) ?? new Set()
    if (sessions.size >= this.#maxPerUser) return false
    this.#byUser.set(name, sessions.add(session))
    this.#userOf.set(session, name)
    return true
  }

  /** Idempotent; sessions that were never added are none. */
  remove(session: RegisteredSession): void {
    const name = this.#userOf.get(session)
    if (name === undefined) return
    this.#userOf.delete(session)
    const sessions = this.#byUser.get(name)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#byUser.delete(name)
  }

  all(): readonly RegisteredSession[] {
    return [...this.#userOf.keys()]
  }
}
