import { isIP } from 'node:net'

/** Where messages are stored: a file, or a database on a server. */
export type DatabaseUrl = FileUrl | ServerUrl

export interface FileUrl {
  readonly kind: 'sqlite'
  /** As given: relative to the working directory. */
  readonly path: string
}

export interface ServerUrl {
  /** `mysql` is MySQL 8 and MariaDB. */
  readonly kind: 'postgres' | 'mysql'
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly tls: TlsMode
}

/**
 * `require` encrypts and believes whoever answers, as in libpq; `verify-full` wants a certificate of this
 * host, by name, from an authority that Node knows (`NODE_EXTRA_CA_CERTS` adds one).
 */
export type TlsMode = 'disable' | 'require' | 'verify-full'

const FORM =
  'sqlite:PATH, postgres://user:pass@host:port/database or mysql://user:pass@host:port/database ' +
  '(?sslmode=require or ?sslmode=verify-full for TLS)'

const SCHEMES: ReadonlyMap<string, { readonly kind: ServerUrl['kind']; readonly port: number }> = new Map([
  ['postgres:', { kind: 'postgres', port: 5432 }],
  ['postgresql:', { kind: 'postgres', port: 5432 }],
  ['mysql:', { kind: 'mysql', port: 3306 }],
  ['mariadb:', { kind: 'mysql', port: 3306 }],
])

/**
 * Account and database name are percent-encoded; account and database name are required. `ssl=true` is
 * short for `sslmode=verify-full`.
 *
 * @throws Error completing "VARIABLE must be …", without the password
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const [, path] = /^sqlite:(.+)$/.exec(text) ?? []
  if (path === undefined) return parseServerUrl(text)
  if (path === ':memory:') throw new Error('sqlite:PATH, where PATH is a file')
  return { kind: 'sqlite', path }
}

/** For people and logs: no account. */
export function describeDatabaseUrl(text: string): string {
  const url = parseDatabaseUrl(text)
  return url.kind === 'sqlite' ? `sqlite:${url.path}` : describeServer(url)
}

export function describeServer(url: ServerUrl): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host
  return `${url.kind}://${host}:${url.port}/${url.database}`
}

function parseServerUrl(text: string): ServerUrl {
  const url = parsed(text)
  const scheme = SCHEMES.get(url.protocol)
  const database = decoded(url.pathname.slice(1))
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (scheme === undefined || host === '' || url.username === '' || url.hash !== '') throw new Error(FORM)
  if (database === '') throw new Error(`${FORM}; the name of the database is missing`)
  if (database.includes('/')) throw new Error(FORM)
  const tls = tlsMode(url.searchParams)
  // Both drivers would look for the name localhost in the certificate of a bare address.
  if (tls === 'verify-full' && isIP(host) !== 0) throw new Error(`${FORM}; verify-full needs the host's name`)
  return {
    kind: scheme.kind,
    host: decoded(host),
    port: url.port === '' ? scheme.port : portOf(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database,
    tls,
  }
}

function parsed(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw new Error(FORM) // the cause would bear the password
  }
}

function portOf(digits: string): number {
  const port = Number(digits)
  if (port === 0) throw new Error(FORM)
  return port
}

function tlsMode(parameters: URLSearchParams): TlsMode {
  let mode: TlsMode = 'disable'
  for (const [name, value] of parameters) {
    if (name === 'sslmode' && (value === 'disable' || value === 'require' || value === 'verify-full')) {
      mode = value
    } else if (name === 'ssl' && (value === 'true' || value === 'false')) {
      mode = value === 'true' ? 'verify-full' : 'disable'
    } else {
      throw new Error(`${FORM}; no other parameter is known`)
    }
  }
  return mode
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Error(FORM)
  }
}
