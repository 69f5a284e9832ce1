/** CONTRACT, section 3: who somebody is, once authenticated. */
export const ROLES = ['user', 'service', 'admin'] as const

/** What somebody may do goes by these (CONTRACT, section 5). */
export type Role = (typeof ROLES)[number]

/** Somebody authenticated. */
export interface Principal {
  /** `[A-Za-z0-9_.@-]{1,64}`. Names differ by case. */
  readonly name: string
  readonly roles: readonly Role[]
}

/** Somebody, and how long their credentials vouch for them. */
export interface AuthenticatedPrincipal extends Principal {
  /** Milliseconds since 1970; missing where the credentials do not end. */
  readonly expiresAtMs?: number
  /** The login that the credentials are of, where they are of one; it may end before they do. */
  readonly loginId?: string
  /** Where they are a password: what it was then, see `credentialOf`. */
  readonly credential?: string
}

const NAME = /^[A-Za-z0-9_.@-]{1,64}$/

/** Whether it can be the name of somebody: 1 to 64 of `A-Z a-z 0-9 _ . @ -` (CONTRACT, section 3). */
export function isPrincipalName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/** Whether it is one of `ROLES`, spelled exactly so. */
export function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value)
}

/** The value as roles, or null unless it is a list of one or more known roles. */
export function parseRoles(value: unknown): readonly Role[] | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRole)) return null
  return [...new Set(value)]
}
