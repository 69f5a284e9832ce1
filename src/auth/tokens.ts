import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT, errors, jwtVerify, type JWTPayload } from 'jose'
import { NodeError } from '../errors.ts'
import { principalOfClaims } from './claims.ts'
import type { AuthenticatedPrincipal, Principal } from './principal.ts'

/** What a refresh token says: see `LoginRow`. */
export interface RefreshClaims {
  readonly loginId: string
  readonly turn: number
}

export interface TokensOptions {
  readonly secret: string
  /** What tokens of others must bear as `iss`. Default: anything, or nothing. */
  readonly issuer?: string | undefined
  /** What they must bear as `aud`, or have in it. Default likewise. */
  readonly audience?: string | undefined
}

const ALGORITHM = 'HS256'
/** Says that `sid` is a login of ours: others, who sign with the same secret, have such a claim too. */
const ISSUER = 'stomp-relay'
/** `typ` of refresh tokens, so that neither kind is taken for the other (RFC 8725, section 3.11). */
const REFRESH_TYPE = 'refresh+jwt'
const MIN_SECRET_BYTES = 32
const CLOCK_TOLERANCE_SECONDS = 5

/** Bearer tokens: JWTs with `sub` and `roles` (CONTRACT, section 3), HS256 (RFC 7519, RFC 7518 section 3.2). */
export class Tokens {
  readonly #key: KeyObject
  readonly #options: TokensOptions

  /** @throws NodeError `invalid-configuration` for a secret below 32 bytes of UTF-8 */
  constructor(options: TokensOptions) {
    this.#options = options
    const bytes = Buffer.from(options.secret)
    if (bytes.length < MIN_SECRET_BYTES) {
      throw new NodeError('invalid-configuration', `the JWT secret has less than ${MIN_SECRET_BYTES} bytes`)
    }
    this.#key = createSecretKey(bytes)
  }

  /**
   * A token that speaks for the principal for so many seconds from now, as long as its login lasts. One without a
   * login is like those of others.
   */
  sign(principal: Principal, ttlSeconds: number, loginId?: string): Promise<string> {
    const origin = loginId === undefined ? this.#foreignClaims() : { iss: ISSUER, sid: loginId }
    return new SignJWT({ roles: [...principal.roles], ...origin })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(principal.name)
      .setIssuedAt()
      .setExpirationTime(new Date(Date.now() + ttlSeconds * 1000))
      .sign(this.#key)
  }

  /** A token that is good for one exchange, until `expiresAt`. */
  signRefresh({ loginId, turn }: RefreshClaims, expiresAt: Date): Promise<string> {
    return new SignJWT({ sid: loginId, turn })
      .setProtectedHeader({ alg: ALGORITHM, typ: REFRESH_TYPE })
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(this.#key)
  }

  /** What a refresh token says, or null where it is none of ours, or over. */
  async verifyRefresh(token: string): Promise<RefreshClaims | null> {
    const verified = await this.#verified(token)
    if (verified?.type !== REFRESH_TYPE) return null
    const { sid, turn } = verified.claims
    return typeof sid === 'string' && typeof turn === 'number' ? { loginId: sid, turn } : null
  }

  /**
   * Who the token speaks for, or null where it is not ours, over, or its claims are not what we
   * issue, or where somebody else with the secret made it for others. The algorithm is fixed: a token does not
   * choose how it is verified.
   */
  async verify(token: string): Promise<(AuthenticatedPrincipal & { readonly expiresAtMs: number }) | null> {
    const verified = await this.#verified(token)
    if (verified === null || verified.type === REFRESH_TYPE) return null
    const { claims } = verified
    const principal = principalOfClaims(claims)
    if (principal === null) return null
    const loginId = claims.iss === ISSUER ? claims['sid'] : undefined
    if (typeof loginId === 'string') return { ...principal, loginId }
    return this.#isMeant(claims) ? principal : null
  }

  #isMeant({ iss, aud }: JWTPayload): boolean {
    const { issuer, audience } = this.#options
    if (issuer !== undefined && iss !== issuer) return false
    return audience === undefined || aud === audience || (Array.isArray(aud) && aud.includes(audience))
  }

  #foreignClaims(): JWTPayload {
    const { issuer, audience } = this.#options
    return { ...(issuer !== undefined && { iss: issuer }), ...(audience !== undefined && { aud: audience }) }
  }

  async #verified(token: string) {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      })
      return { claims: payload, type: protectedHeader.typ }
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }
}
