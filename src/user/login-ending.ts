import type { Broker, ControlMessage } from '../broker/broker.ts'
import { credentialOf } from '../auth/credential.ts'
import { Repetition } from '../lib/repetition.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { SessionRegistry } from './session-registry.ts'

const KIND = 'end-logins'
/** Sessions of no login as well. */
const KIND_EVERYWHERE = 'end-user'
const WHY = 'the user logged out'
const WHY_CHANGED = 'the password was changed'

/** What one question to the store may hold. */
const PORTION = 500

export interface LoginEndingParts {
  readonly registry: Pick<SessionRegistry, 'all' | 'ofUser'>
  readonly store: Pick<Store, 'accounts' | 'logins'>
  readonly broker: Pick<Broker, 'control' | 'onControl'>
  readonly log: Pick<Log, 'warn'>
  /** How often the sessions of this node are compared with the store, milliseconds. Default 15,000. */
  readonly compareMs?: number
}

/**
 * Ends the sessions of logins that are over, on all nodes. They are told by the broker, which may be away: so
 * every node asks the store now and then whether the logins of its sessions last, and the passwords that let
 * others in, and removes logins whose time is over.
 */
export class LoginEnding {
  readonly #parts: LoginEndingParts
  readonly #stop: () => void
  readonly #rounds: Repetition

  constructor(parts: LoginEndingParts) {
    this.#parts = parts
    this.#stop = parts.broker.onControl((message) => this.#hear(message))
    this.#rounds = new Repetition({
      run: (signal) => this.#round(signal),
      onError: (error) =>
        parts.log.warn({ event: 'logins-not-compared', err: error }, 'nobody knows which logins last'),
      intervalMs: parts.compareMs ?? 15_000,
      jitter: 0.2,
    })
  }

  /** Once only. */
  start(): void {
    this.#rounds.start()
  }

  /**
   * Ends the sessions of the logins here, and with `everywhere` also those of the user that are of no login, and
   * tells the other nodes. Does not throw; of logins that they miss they find out, of sessions without one not.
   */
  end(user: string, loginIds: readonly string[], everywhere = false): void {
    const { broker, log } = this.#parts
    this.#endHere(user, loginIds, everywhere)
    const kind = everywhere ? KIND_EVERYWHERE : KIND
    broker.control({ kind, body: [user, ...loginIds].join(' ') }).catch((error: unknown) => {
      const fields = { event: 'logout-untold', user, err: error }
      log.warn(fields, 'other nodes find out later that a login is over')
    })
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#stop()
    await this.#rounds.close()
  }

  #hear({ kind, body }: ControlMessage): void {
    if (kind !== KIND && kind !== KIND_EVERYWHERE) return
    const [user = '', ...loginIds] = body.split(' ')
    this.#endHere(user, loginIds, kind === KIND_EVERYWHERE)
  }

  #endHere(user: string, loginIds: readonly string[], everywhere: boolean): void {
    for (const session of this.#parts.registry.ofUser(user)) {
      const { loginId } = session.view.principal
      if (loginId === undefined ? everywhere : loginIds.includes(loginId)) session.expel(WHY)
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.#compareLogins(signal)
    await this.#comparePasswords(signal)
    await this.#parts.store.logins.trim(new Date().toISOString(), PORTION)
  }

  async #compareLogins(signal: AbortSignal): Promise<void> {
    const { registry, store } = this.#parts
    const ids = new Set(registry.all().flatMap(({ view }) => view.principal.loginId ?? []))
    const asked = [...ids]
    for (let from = 0; from < asked.length && !signal.aborted; from += PORTION) {
      const portion = asked.slice(from, from + PORTION)
      const living = await store.logins.living(portion)
      const over = new Set(portion.filter((id) => !living.has(id)))
      for (const session of over.size === 0 ? [] : registry.all()) {
        if (over.has(session.view.principal.loginId ?? '')) session.expel(WHY)
      }
    }
  }

  async #comparePasswords(signal: AbortSignal): Promise<void> {
    const { registry, store } = this.#parts
    const bearers = registry.all().filter(({ view }) => view.principal.credential !== undefined)
    const names = [...new Set(bearers.map(({ view }) => view.principal.name))]
    for (let from = 0; from < names.length && !signal.aborted; from += PORTION) {
      const portion = names.slice(from, from + PORTION)
      const hashes = await store.accounts.passwordHashes(portion)
      for (const session of portion.flatMap((name) => registry.ofUser(name))) {
        const { name, credential } = session.view.principal
        if (credential === undefined) continue
        if (credential !== credentialOf(hashes.get(name) ?? '')) session.expel(WHY_CHANGED)
      }
    }
  }
}
