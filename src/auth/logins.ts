import { randomUUID } from 'node:crypto'
import { MessageError } from '../errors.ts'
import type { LoginRow, Store } from '../store/store.ts'
import type { Accounts } from './accounts.ts'
import type { Audit } from './audit.ts'
import type { Asker } from './passwords.ts'
import type { Principal } from './principal.ts'
import type { Tokens } from './tokens.ts'

export interface LoginsOptions {
  readonly store: Pick<Store, 'logins'>
  readonly accounts: Pick<Accounts, 'verify' | 'create' | 'find' | 'isCurrent'>
  readonly tokens: Tokens
  readonly audit: Pick<Audit, 'record' | 'recordFailedLogin'>
  /** Whether strangers may make accounts. */
  readonly registration: boolean
  /** Logins of this user are over: what they let in must go, on every node. Must not throw. */
  readonly onEnded: EndedListener
}

/** @param everywhere whether what came by no login, but by a passcode, say, must go too */
export type EndedListener = (user: string, loginIds: readonly string[], everywhere: boolean) => void

/** What whoever is logged in holds (CONTRACT, section 3). */
export interface Grant {
  readonly accessToken: string
  readonly refreshToken: string
  /** Seconds for which the access token is good. */
  readonly expiresIn: number
  readonly user: Principal
}

const ACCESS_SECONDS = 15 * 60
const REFRESH_MS = 30 * 24 * 3600 * 1000
/** Beyond it the user's oldest login ends. */
const MAX_LOGINS_PER_USER = 100
const MIN_PASSWORD_LENGTH = 8

/**
 * Logins of built-in accounts. A refresh token is good for one exchange; one that comes again was stolen, or
 * its thief was first, which nobody can tell: so the login ends with all that came of it (RFC 9700, section 4.14).
 */
export class Logins {
  readonly #options: LoginsOptions

  constructor(options: LoginsOptions) {
    this.#options = options
  }

  /**
   * Makes an account with the role `user`, and logs in. Where others name users too, who sign tokens or send
   * orders, a stranger could take one of their names: so it can be off.
   * Rejects with `forbidden` where it is, `conflict` where the name is taken, `invalid-payload` for a name or password that cannot be.
   */
  async register(name: string, password: string, asker: Asker = {}): Promise<Grant> {
    const { accounts, audit, registration } = this.#options
    if (!registration) throw new MessageError('forbidden', 'accounts are made by administrators here')
    if (password.length < MIN_PASSWORD_LENGTH) {
      throw new MessageError('invalid-payload', `a password has ${MIN_PASSWORD_LENGTH} characters or more`)
    }
    // Demo accounts are in no table: whoever registers must not become one of them.
    if ((await accounts.find(name)) !== undefined) throw new MessageError('conflict', 'this name is taken')
    await accounts.create({ name, password, roles: ['user'] }, asker)
    audit.record({ ...traceOf({ user: name }, asker), kind: 'registered' })
    return this.#begin({ name, roles: ['user'] })
  }

  /** Undefined where name and password do not go together. Rejects as `Accounts.verify`. */
  async login(name: string, password: string, asker: Asker = {}): Promise<Grant | undefined> {
    const { store, accounts, audit } = this.#options
    const principal = await accounts.verify(name, password, asker)
    if (principal === undefined) {
      if (asker.isAbandoned?.() !== true) audit.recordFailedLogin(name, asker.address)
      return undefined
    }
    const grant = await this.#begin({ name, roles: principal.roles })
    // Whoever changed the password meanwhile has ended the logins that were there then.
    if (!(await accounts.isCurrent(principal))) {
      await this.#end(await store.logins.ofUser(name))
      return undefined
    }
    audit.record({ ...traceOf({ user: name }, asker), kind: 'login', roles: principal.roles })
    return grant
  }

  /** Undefined where the token is not good, or not any more. Rejects with `store-unavailable`. */
  async refresh(refreshToken: string, asker: Asker = {}): Promise<Grant | undefined> {
    const { store, accounts, tokens, audit } = this.#options
    const claims = await tokens.verifyRefresh(refreshToken)
    const login = claims === null ? null : await store.logins.find(claims.loginId)
    if (claims === null || login === null) return undefined
    const principal = await accounts.find(login.user)
    const expiresAt = new Date(Date.now() + REFRESH_MS)
    const next = { id: login.id, turn: claims.turn, expiresAt: expiresAt.toISOString() }
    if (principal === undefined || !(await store.logins.exchange(next))) {
      audit.record({ ...traceOf(login, asker), kind: 'token-reused' })
      await this.#end([login])
      return undefined
    }
    return this.#grant(principal, { loginId: login.id, turn: claims.turn + 1 }, expiresAt)
  }

  /** The login of a refresh token, used up or not; undefined where there is none. */
  async loginOf(refreshToken: string): Promise<Pick<LoginRow, 'id' | 'user'> | undefined> {
    const claims = await this.#options.tokens.verifyRefresh(refreshToken)
    if (claims === null) return undefined
    return (await this.#options.store.logins.find(claims.loginId)) ?? undefined
  }

  /** Ends one login, or with `everywhere` all of the user's, and sessions of no login. Idempotent. */
  async logout(
    login: Pick<LoginRow, 'id' | 'user'>,
    { everywhere }: { everywhere: boolean },
    asker: Asker = {},
  ): Promise<void> {
    const { store, audit } = this.#options
    await this.#end(everywhere ? [login, ...(await store.logins.ofUser(login.user))] : [login], everywhere)
    audit.record({ ...traceOf(login, asker), kind: 'logout', ...(everywhere && { about: 'everywhere' }) })
  }

  /** Whether the login lasts. Rejects with `store-unavailable`. */
  async isAlive(loginId: string): Promise<boolean> {
    return (await this.#options.store.logins.find(loginId)) !== null
  }

  async #begin(principal: Principal): Promise<Grant> {
    const { store } = this.#options
    const id = randomUUID()
    const expiresAt = new Date(Date.now() + REFRESH_MS)
    const createdAt = new Date().toISOString()
    const user = principal.name
    await store.logins.create({ id, user, turn: 0, createdAt, expiresAt: expiresAt.toISOString() })
    await this.#end((await store.logins.ofUser(user)).slice(MAX_LOGINS_PER_USER))
    return this.#grant(principal, { loginId: id, turn: 0 }, expiresAt)
  }

  async #grant(user: Principal, claims: { loginId: string; turn: number }, expiresAt: Date): Promise<Grant> {
    const { tokens } = this.#options
    const [accessToken, refreshToken] = await Promise.all([
      tokens.sign(user, ACCESS_SECONDS, claims.loginId),
      tokens.signRefresh(claims, expiresAt),
    ])
    return { accessToken, refreshToken, expiresIn: ACCESS_SECONDS, user }
  }

  /** Logins of one user. */
  async #end(logins: readonly Pick<LoginRow, 'id' | 'user'>[], everywhere = false): Promise<void> {
    const [first] = logins
    if (first === undefined) return
    const ids = [...new Set(logins.map(({ id }) => id))]
    await this.#options.store.logins.remove(ids)
    this.#options.onEnded(first.user, ids, everywhere)
  }
}

function traceOf(
  { user }: { readonly user: string },
  { address }: Asker,
): { user: string; address?: string } {
  return { user, ...(address !== undefined && { address }) }
}
