import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

const DEBIAN_POSTGRES = '/usr/lib/postgresql'

/** Where a program of PostgreSQL's server is: Debian keeps several versions apart, the newest counts. */
export function findPostgresProgram(name: string): string | undefined {
  const versions = existsSync(DEBIAN_POSTGRES) ? readdirSync(DEBIAN_POSTGRES) : []
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a))
  return firstIn([...newestFirst.map((version) => join(DEBIAN_POSTGRES, version, 'bin')), ...path()], name)
}

/** Where a program of MariaDB's is. `/usr/sbin` is not in every user's path. */
export function findMariaDbProgram(name: string): string | undefined {
  return firstIn(['/usr/sbin', '/usr/bin', ...path()], name)
}

function firstIn(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
}

function path(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
}
