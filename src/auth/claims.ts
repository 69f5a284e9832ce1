import { isPrincipalName, parseRoles, type AuthenticatedPrincipal } from './principal.ts'

/** Who verified claims speak for, and until when; null where `sub`, `roles` or `exp` are not what CONTRACT, section 3, asks. */
export function principalOfClaims(
  claims: Readonly<Record<string, unknown>>,
): (AuthenticatedPrincipal & { readonly expiresAtMs: number }) | null {
  const { sub, exp } = claims
  const roles = parseRoles(claims['roles'])
  if (!isPrincipalName(sub) || roles === null || typeof exp !== 'number') return null
  return { name: sub, roles, expiresAtMs: exp * 1000 }
}
