import { createHash } from 'node:crypto'

/** Tells one stored password of an account from the next, and tells nothing of either. */
export function credentialOf(passwordHash: string): string {
  return createHash('sha256').update(passwordHash).digest('base64url').slice(0, 22)
}
