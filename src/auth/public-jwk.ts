import type { JWK } from 'jose'

/** What tokens of an identity provider may be signed with (RFC 7518, section 3.1; RFC 8037, section 3.1). */
export type Algorithm = 'RS256' | 'ES256' | 'EdDSA'

/** A public key out of a set, and the one algorithm that it is good for (RFC 8725, section 3.1). */
export interface PublicJwk {
  readonly id: string | undefined
  readonly algorithm: Algorithm
  readonly jwk: Readonly<JWK>
}

/** 2,048 bits in base64url, without leading zeros (RFC 7518, section 3.3). */
const MIN_MODULUS_LENGTH = 342

/**
 * Reads an entry of a key set. Undefined for what no token can be verified with here: secrets, keys for
 * encryption, other curves, short keys. Private parts, where a provider should ever leak them, are left out.
 */
export function publicJwk(entry: unknown): PublicJwk | undefined {
  const fields = textsOf(entry)
  const algorithm = algorithmOf(fields)
  if (algorithm === undefined) return undefined
  if (fields['use'] !== undefined && fields['use'] !== 'sig') return undefined
  // A key that says what it is for is for nothing else.
  if (fields['alg'] !== undefined && fields['alg'] !== algorithm) return undefined
  const { kid, kty = '', crv, x, y, n, e } = fields
  const parts = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  return { id: kid, algorithm, jwk: Object.fromEntries(parts) }
}

function algorithmOf({
  kty,
  crv,
  n = '',
}: Readonly<Record<string, string | undefined>>): Algorithm | undefined {
  if (kty === 'RSA') return n.length >= MIN_MODULUS_LENGTH ? 'RS256' : undefined
  if (kty === 'EC' && crv === 'P-256') return 'ES256'
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : undefined
}

function textsOf(entry: unknown): Readonly<Record<string, string | undefined>> {
  if (typeof entry !== 'object' || entry === null) return {}
  const fields = Object.entries(entry).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  return Object.fromEntries(fields)
}
