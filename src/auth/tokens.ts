import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT, errors, jwtVerify } from 'jose'
import { NodeError } from '../errors.ts'
import { isPrincipalName, parseRoles } from './principal.ts'
import type { Principal } from './principal.ts'

/** Somebody, and how long their credentials vouch for them. */
export interface AuthenticatedPrincipal extends Principal {
  /** Milliseconds since 1970; missing where the credentials do not end. */
  readonly expiresAtMs?: number
}

const ALGORITHM = 'HS256'
const MIN_SECRET_BYTES = 32
const CLOCK_TOLERANCE_SECONDS = 5

/** Bearer tokens: JWTs with `sub` and `roles` (CONTRACT, section 3), HS256 (RFC 7519, RFC 7518 section 3.2). */
export class Tokens {
  readonly #key: KeyObject

  /** @throws NodeError `invalid-configuration` for a secret below 32 bytes of UTF-8 */
  constructor(options: { secret: string }) {
    const bytes = Buffer.from(options.secret)
    if (bytes.length < MIN_SECRET_BYTES) {
      throw new NodeError('invalid-configuration', `the JWT secret has less than ${MIN_SECRET_BYTES} bytes`)
    }
    this.#key = createSecretKey(bytes)
  }

  /** A token that speaks for the principal for so many seconds from now. */
  sign(principal: Principal, ttlSeconds: number): Promise<string> {
    return new SignJWT({ roles: [...principal.roles] })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(principal.name)
      .setIssuedAt()
      .setExpirationTime(new Date(Date.now() + ttlSeconds * 1000))
      .sign(this.#key)
  }

  /**
   * Who the token speaks for, or null where it is not ours, over, or its claims are not what we
   * issue. The algorithm is fixed: a token does not choose how it is verified.
   */
  async verify(token: string): Promise<(Principal & { readonly expiresAtMs: number }) | null> {
    const claims = await this.#claims(token)
    if (claims === null) return null
    const roles = parseRoles(claims['roles'])
    if (!isPrincipalName(claims.sub) || roles === null || claims.exp === undefined) return null
    return { name: claims.sub, roles, expiresAtMs: claims.exp * 1000 }
  }

  async #claims(token: string) {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }
}
