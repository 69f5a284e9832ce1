import { decodeProtectedHeader, jwtVerify } from 'jose'
import { principalOfClaims } from './claims.ts'
import type { KeySet } from './key-set.ts'
import type { AuthenticatedPrincipal } from './principal.ts'

export interface JwksTokensOptions {
  readonly keys: Pick<KeySet, 'find'>
  /** Who must have issued a token, and for whom. */
  readonly issuer: string
  readonly audience: string
}

/** How far the provider's clock may be off. */
const CLOCK_TOLERANCE_SECONDS = 30

/** A token with a longer key id is made up. */
const MAX_KEY_ID_LENGTH = 256

/** Bearer tokens of an identity provider: JWTs with `sub` and `roles`, signed with one of its keys. */
export class JwksTokens {
  readonly #options: JwksTokensOptions

  constructor(options: JwksTokensOptions) {
    this.#options = options
  }

  /**
   * Who the token speaks for, or null where it is not the provider's, not for us, over, or where its key
   * cannot be had. The key decides on the algorithm: a token that names another one is refused.
   */
  async verify(token: string): Promise<(AuthenticatedPrincipal & { readonly expiresAtMs: number }) | null> {
    const { keys, issuer, audience } = this.#options
    const head = headOf(token)
    const key = head === undefined ? undefined : await keys.find(head.kid)
    if (key === undefined || key.algorithm !== head?.alg) return null
    try {
      const { payload } = await jwtVerify(token, key.key, {
        algorithms: [key.algorithm],
        issuer,
        audience,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      })
      return principalOfClaims(payload)
    } catch {
      // Whatever a stranger's token or key does to the verification, nobody is let in by it.
      return null
    }
  }
}

/** Undefined for what cannot be a token of the provider: no key is looked for then. */
function headOf(token: string): { readonly alg: string; readonly kid: string | undefined } | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    const isKeyId = kid === undefined || (typeof kid === 'string' && kid.length <= MAX_KEY_ID_LENGTH)
    return isKeyId && (alg === 'RS256' || alg === 'ES256' || alg === 'EdDSA') ? { alg, kid } : undefined
  } catch {
    return undefined
  }
}
