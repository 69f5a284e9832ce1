import type { Accounts } from './accounts.ts'
import type { Asker } from './passwords.ts'
import type { AuthenticatedPrincipal } from './principal.ts'
import type { Tokens } from './tokens.ts'

/** What somebody showed. With a bearer token the rest is not looked at. */
export interface Credentials {
  readonly bearer?: string
  readonly login?: string
  readonly passcode?: string
}

/** Finds out who somebody is, whatever door they came through. */
export class Authenticator {
  readonly #accounts: Pick<Accounts, 'verify'> | undefined
  readonly #tokens: Pick<Tokens, 'verify'>
  readonly #isAlive: (loginId: string) => Promise<boolean>

  /**
   * `isAlive` tells whether a login, which a token may be of, lasts. Without `accounts` nobody gets in by
   * name and password.
   */
  constructor(options: {
    accounts?: Pick<Accounts, 'verify'>
    tokens: Pick<Tokens, 'verify'>
    isAlive: (loginId: string) => Promise<boolean>
  }) {
    this.#accounts = options.accounts
    this.#tokens = options.tokens
    this.#isAlive = options.isAlive
  }

  /**
   * Undefined where there are no valid credentials, or where the asker has left before they were
   * looked at; the reason stays here. Rejects with
   * `store-unavailable` or `too-many-pending` where that could not be found out.
   */
  async authenticate(
    credentials: Credentials,
    asker: Asker = {},
  ): Promise<AuthenticatedPrincipal | undefined> {
    const { bearer, login, passcode } = credentials
    if (bearer !== undefined) return this.#ofToken(bearer)
    if (login === undefined || passcode === undefined) return undefined
    return this.#accounts?.verify(login, passcode, asker)
  }

  async #ofToken(bearer: string): Promise<AuthenticatedPrincipal | undefined> {
    const principal = await this.#tokens.verify(bearer)
    if (principal === null) return undefined
    const { loginId } = principal
    return loginId === undefined || (await this.#isAlive(loginId)) ? principal : undefined
  }
}
