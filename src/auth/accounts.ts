import { MessageError } from '../errors.ts'
import type { AccountRow, Store } from '../store/store.ts'
import { credentialOf } from './credential.ts'
import { NameGuard } from './name-guard.ts'
import { Passwords, type Asker } from './passwords.ts'
import { isPrincipalName, parseRoles } from './principal.ts'
import type { AuthenticatedPrincipal, Principal } from './principal.ts'

/** CONTRACT, section 3: to try the relay with. The password is the name. They are in no database. */
export const DEMO_ACCOUNTS: readonly Principal[] = [
  { name: 'alice', roles: ['user'] },
  { name: 'bob', roles: ['user'] },
  { name: 'orders', roles: ['service'] },
  { name: 'admin', roles: ['admin'] },
  { name: 'guest', roles: ['service'] },
]

export interface AccountsOptions {
  readonly store: Pick<Store, 'accounts' | 'logins'>
  /** Whether the demo accounts may log in. */
  readonly demo: boolean
  readonly passwords?: Passwords
  readonly guard?: NameGuard
}

/** An account to be made; the password in plain text. */
export interface NewAccount {
  readonly name: string
  readonly password: string
  readonly roles: Principal['roles']
}

/** Built-in accounts: those in the store, and behind them the demo accounts. */
export class Accounts {
  readonly #store: Pick<Store, 'accounts' | 'logins'>
  readonly #demo: readonly Principal[]
  readonly #passwords: Passwords
  readonly #guard: NameGuard

  constructor(options: AccountsOptions) {
    this.#store = options.store
    this.#demo = options.demo ? DEMO_ACCOUNTS : []
    this.#passwords = options.passwords ?? new Passwords()
    this.#guard = options.guard ?? new NameGuard()
  }

  /**
   * Who that is, or undefined, also where the asker left meanwhile. An unknown name takes as long as a
   * wrong password.
   * Rejects with `store-unavailable`, with `too-many-pending` when too many log in at once, and with `rate-limited`
   * where too many wrong passwords of the name came within a minute, whether somebody bears it or not.
   */
  async verify(
    name: string,
    password: string,
    asker: Asker = {},
  ): Promise<AuthenticatedPrincipal | undefined> {
    const account = isPrincipalName(name) ? await this.#store.accounts.find(name) : null
    const demo = account === null && name === password ? this.#demoOf(name) : undefined
    if (demo !== undefined) return demo
    const { address = '' } = asker
    if (this.#guard.isClosed(name, address)) {
      throw new MessageError('rate-limited', 'too many failed logins of this name')
    }
    const principal = await this.#compare(account, password, asker)
    if (principal !== undefined) this.#guard.succeeded(name, address)
    else if (isPrincipalName(name) && asker.isAbandoned?.() !== true) this.#guard.failed(name)
    return principal
  }

  async #compare(
    account: AccountRow | null,
    password: string,
    asker: Asker,
  ): Promise<AuthenticatedPrincipal | undefined> {
    // A disabled account is as good as none.
    const isRight = await this.#passwords.verify(password, account?.passwordHash || null, asker)
    if (!isRight || account === null) return undefined
    return { ...toPrincipal(account), credential: credentialOf(account.passwordHash) }
  }

  #demoOf(name: string): Principal | undefined {
    return this.#demo.find((each) => each.name === name)
  }

  /** Who bears this name now, or undefined, also where the account is disabled. Rejects with `store-unavailable`. */
  async find(name: string): Promise<Principal | undefined> {
    const account = await this.#store.accounts.find(name)
    if (account === null) return this.#demoOf(name)
    return account.passwordHash === '' ? undefined : toPrincipal(account)
  }

  /**
   * Makes an account; one with the name of a demo account replaces it.
   * Rejects with `conflict` when the name is taken, `invalid-payload` for a name, password or role
   * that cannot be.
   */
  async create(account: NewAccount, asker: Asker = {}): Promise<void> {
    const { name, password } = account
    const roles = parseRoles(account.roles)
    if (!isPrincipalName(name)) {
      throw new MessageError('invalid-payload', 'a name has 1 to 64 of the characters A-Z a-z 0-9 _ . @ -')
    }
    if (roles === null) throw new MessageError('invalid-payload', 'roles are some of user, service, admin')
    const passwordHash = await this.#passwords.hash(password, asker)
    await this.#store.accounts.create({ name, passwordHash, roles, createdAt: new Date().toISOString() })
  }

  /**
   * Changes the password, which a disabled account then has again, and ends all logins; every node closes the
   * sessions of the old one within a round of `LoginEnding`.
   * Rejects with `not-found` where there is no such account, and `invalid-payload` for a password that cannot be.
   */
  async setPassword(name: string, password: string): Promise<void> {
    await this.#change(name, await this.#passwords.hash(password))
  }

  /** Lets nobody in by this name any more, by password or login; otherwise as `setPassword`. The name stays taken. */
  async disable(name: string): Promise<void> {
    await this.#change(name, '')
  }

  /** Whether the password that let them in, if it was one, is still theirs. Rejects with `store-unavailable`. */
  async isCurrent({ name, credential }: AuthenticatedPrincipal): Promise<boolean> {
    if (credential === undefined) return true
    const hashes = await this.#store.accounts.passwordHashes([name])
    return credentialOf(hashes.get(name) ?? '') === credential
  }

  async #change(name: string, passwordHash: string): Promise<void> {
    const { accounts, logins } = this.#store
    if (!(await accounts.setPasswordHash(name, passwordHash))) {
      throw new MessageError('not-found', 'there is no account of this name')
    }
    await logins.remove((await logins.ofUser(name)).map(({ id }) => id))
  }
}

function toPrincipal(account: AccountRow): Principal {
  const roles = parseRoles(account.roles)
  if (roles === null) throw new MessageError('internal', 'a stored account has roles that do not exist')
  return { name: account.name, roles }
}
