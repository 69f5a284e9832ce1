import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { NodeError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { Accounts, DEMO_ACCOUNTS } from './accounts.ts'
import { Audit } from './audit.ts'
import { Authenticator } from './authenticator.ts'
import { JwksTokens } from './jwks-tokens.ts'
import { KeySet } from './key-set.ts'
import { Logins, type EndedListener } from './logins.ts'
import { Tokens } from './tokens.ts'

export interface IdentityParts {
  readonly store: Pick<Store, 'accounts' | 'logins' | 'settings' | 'audit' | 'people'>
  readonly config: IdentityConfig & Pick<Config, 'nodeId' | 'registration'>
  readonly log: Log
  /** See `LoginsOptions.onEnded`. */
  readonly onEnded: EndedListener
}

type IdentityConfig = Pick<Config, 'jwtSecret' | 'jwksUrl' | 'jwtIssuer' | 'jwtAudience' | 'demoAccounts'>

/** Accounts of our own, and the tokens that we sign for them. */
export interface BuiltIn {
  readonly accounts: Accounts
  readonly tokens: Tokens
}

/** Who may come in, and what is written down of it. */
export interface Identity {
  readonly authenticator: Authenticator
  readonly audit: Audit
  /** Missing where an identity provider has the accounts. */
  readonly logins?: Logins
  /** Once only. */
  start(): void
  /** Idempotent; never rejects. */
  close(): Promise<void>
}

/**
 * The accounts in the store and the secret that signs for them, made where there is none.
 *
 * @throws NodeError `invalid-configuration` where an identity provider has the accounts; rejects with
 * `store-unavailable`
 */
export async function openBuiltIn(store: IdentityParts['store'], config: IdentityConfig): Promise<BuiltIn> {
  if (config.jwksUrl !== undefined) {
    throw new NodeError(
      'invalid-configuration',
      'AUTH_JWKS_URL is set: accounts and tokens are those of the identity provider',
    )
  }
  const secret =
    config.jwtSecret ??
    (await store.settings.getOrCreate('jwt-secret', () => randomBytes(32).toString('base64url')))
  const { jwtIssuer: issuer, jwtAudience: audience } = config
  return {
    accounts: new Accounts({ store, demo: config.demoAccounts }),
    tokens: new Tokens({ secret, issuer, audience }),
  }
}

/** Accounts of our own, or with `AUTH_JWKS_URL` those of an identity provider. Rejects with `store-unavailable`. */
export async function openIdentity(parts: IdentityParts): Promise<Identity> {
  const { jwksUrl, jwtIssuer = '', jwtAudience = '' } = parts.config
  if (jwksUrl === undefined) return ofOwnAccounts(parts)
  const { store, log, config } = parts
  const keys = new KeySet({ url: jwksUrl, log })
  const audit = new Audit({ store, log, nodeId: config.nodeId })
  const tokens = new JwksTokens({ keys, issuer: jwtIssuer, audience: jwtAudience })
  return {
    authenticator: new Authenticator({ tokens, isAlive: async () => true }),
    audit,
    start() {
      audit.start()
      void keys.warm()
    },
    async close() {
      await Promise.all([keys.close(), audit.close()])
    },
  }
}

async function ofOwnAccounts({ store, config, log, onEnded }: IdentityParts): Promise<Identity> {
  const { accounts, tokens } = await openBuiltIn(store, config)
  if (config.demoAccounts) await store.people.remember(DEMO_ACCOUNTS.map(({ name }) => name))
  const audit = new Audit({ store, log, nodeId: config.nodeId, accounts })
  const logins = new Logins({ store, accounts, tokens, audit, onEnded, registration: config.registration })
  const isAlive = (loginId: string): Promise<boolean> => logins.isAlive(loginId)
  return {
    authenticator: new Authenticator({ accounts, tokens, isAlive }),
    audit,
    logins,
    start: () => audit.start(),
    close: () => audit.close(),
  }
}
