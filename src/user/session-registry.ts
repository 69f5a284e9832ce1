import type { AuthenticatedPrincipal } from '../auth/principal.ts'

/** How a session came. */
export interface SessionPeer {
  readonly transport: 'stomp' | 'sse' | 'poll'
  readonly remoteAddress: string
  /** STOMP's, where it is that. */
  readonly version?: string
}

/** One connected session, as the rest of the node sees it. */
export interface RegisteredSession {
  readonly id: string
  readonly view: { readonly principal: AuthenticatedPrincipal }
  readonly peer: SessionPeer
  shutDown(): void
  /** Ends it, since somebody who may wants it so. The client is told why. Idempotent. */
  expel(why: string): void
  /** Goes on with a fresh token of the same user, where what it came by allows that. */
  prolong?(principal: AuthenticatedPrincipal): void
}

/** Hears of what sessions of this node do. Called synchronously; must not throw. */
export interface RegistryObserver {
  opened(session: RegisteredSession): void
  closed(session: RegisteredSession): void
  /** Once for each subscription to the room. */
  entered(user: string, room: string): void
  left(user: string, room: string): void
}

/** The sessions of this node, by user. */
export class SessionRegistry {
  readonly #maxPerUser: number
  readonly #observer: RegistryObserver | undefined
  readonly #onUser: ((name: string) => void) | undefined
  readonly #byUser = new Map<string, Set<RegisteredSession>>()
  readonly #userOf = new Map<RegisteredSession, string>()
  readonly #byId = new Map<string, RegisteredSession>()

  /** @param options `onUser` is told whose each session is that is added; it must not throw */
  constructor(options: { maxPerUser: number; observer?: RegistryObserver; onUser?: (name: string) => void }) {
    this.#maxPerUser = options.maxPerUser
    this.#observer = options.observer
    this.#onUser = options.onUser
  }

  get size(): number {
    return this.#userOf.size
  }

  /** @returns false where the user has as many sessions on this node as one may have */
  add(session: RegisteredSession): boolean {
    const { name } = session.view.principal
    const sessions = this.#byUser.get(name) ?? new Set()
    if (sessions.size >= this.#maxPerUser) return false
    this.#byUser.set(name, sessions.add(session))
    this.#userOf.set(session, name)
    this.#byId.set(session.id, session)
    this.#observer?.opened(session)
    this.#onUser?.(name)
    return true
  }

  /** Idempotent; sessions that were never added are none. */
  remove(session: RegisteredSession): void {
    const name = this.#userOf.get(session)
    if (name === undefined) return
    this.#userOf.delete(session)
    this.#byId.delete(session.id)
    const sessions = this.#byUser.get(name)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#byUser.delete(name)
    this.#observer?.closed(session)
  }

  /** Its user is in the room from now on, for this session's sake. @returns what ends that; idempotent */
  enter(session: RegisteredSession, room: string): () => void {
    const { name } = session.view.principal
    this.#observer?.entered(name, room)
    let isThere = true
    return () => {
      if (isThere) this.#observer?.left(name, room)
      isThere = false
    }
  }

  find(id: string): RegisteredSession | undefined {
    return this.#byId.get(id)
  }

  ofUser(name: string): readonly RegisteredSession[] {
    return [...(this.#byUser.get(name) ?? [])]
  }

  all(): readonly RegisteredSession[] {
    return [...this.#userOf.keys()]
  }
}
