import { MessageError } from '../errors.ts'
import type { AccountRow, Store } from '../store/store.ts'
import { Passwords, type Asker } from './passwords.ts'
import { isPrincipalName, parseRoles } from './principal.ts'
import type { Principal } from './principal.ts'

/** CONTRACT, section 3: to try the relay with. The password is the name. They are in no database. */
export const DEMO_ACCOUNTS: readonly Principal[] = [
  { name: 'alice', roles: ['user'] },
  { name: 'bob', roles: ['user'] },
  { name: 'orders', roles: ['service'] },
  { name: 'admin', roles: ['admin'] },
  { name: 'guest', roles: ['service'] },
]

export interface AccountsOptions {
  readonly store: Pick<Store, 'accounts'>
  /** Whether the demo accounts may log in. */
  readonly demo: boolean
  readonly passwords?: Passwords
}

/** An account to be made; the password in plain text. */
export interface NewAccount {
  readonly name: string
  readonly password: string
  readonly roles: Principal['roles']
}

/** Built-in accounts: those in the store, and behind them the demo accounts. */
export class Accounts {
  readonly #store: Pick<Store, 'accounts'>
  readonly #demo: readonly Principal[]
  readonly #passwords: Passwords

  constructor(options: AccountsOptions) {
    this.#store = options.store
    this.#demo = options.demo ? DEMO_ACCOUNTS : []
    this.#passwords = options.passwords ?? new Passwords()
  }

  /**
   * Who that is, or undefined, also where the asker left meanwhile. An unknown name takes as long as a
   * wrong password.
   * Rejects with `store-unavailable`, and with `too-many-pending` when too many log in at once.
   */
  async verify(name: string, password: string, asker: Asker = {}): Promise<Principal | undefined> {
    const account = isPrincipalName(name) ? await this.#store.accounts.find(name) : null
    if (account === null && name === password) {
      const demo = this.#demo.find((each) => each.name === name)
      if (demo !== undefined) return demo
    }
    const isRight = await this.#passwords.verify(password, account?.passwordHash ?? null, asker)
    return isRight && account !== null ? toPrincipal(account) : undefined
  }

  /** Who bears this name now, or undefined. Rejects with `store-unavailable`. */
  async find(name: string): Promise<Principal | undefined> {
    const account = await this.#store.accounts.find(name)
    return account === null ? this.#demo.find((each) => each.name === name) : toPrincipal(account)
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
}

function toPrincipal(account: AccountRow): Principal {
  const roles = parseRoles(account.roles)
  if (roles === null) throw new MessageError('internal', 'a stored account has roles that do not exist')
  return { name: account.name, roles }
}
