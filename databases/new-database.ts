import { randomBytes } from 'node:crypto'

/** Fit for SQL without quotes; the account bears the name of its database. */
export function nameAndPassword(): { readonly name: string; readonly password: string } {
  return { name: `relay_${randomBytes(8).toString('hex')}`, password: randomBytes(16).toString('hex') }
}

/** The same server, seen by another account in its own database. */
export function urlOfDatabase(adminUrl: string, name: string, password: string): string {
  const url = new URL(adminUrl)
  url.username = name
  url.password = password
  url.pathname = `/${name}`
  return url.href
}
