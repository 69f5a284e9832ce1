/** CONTRACT, section 3: who somebody is, once authenticated. */
export const ROLES = ['user', 'service', 'admin'] as const

export type Role = (typeof ROLES)[number]

export interface Principal {
  /** `[A-Za-z0-9_.@-]{1,64}`. Names differ by case. */
  readonly name: string
  readonly roles: readonly Role[]
}

const NAME = /^[A-Za-z0-9_.@-]{1,64}$/

export function isPrincipalName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

export function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value)
}

/** The value as roles, or null unless it is a list of one or more known roles. */
export function parseRoles(value: unknown): readonly Role[] | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRole)) return null
  return [...new Set(value)]
}
