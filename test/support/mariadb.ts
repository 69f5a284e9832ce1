import process from 'node:process'
import { addMariaDbDatabase, dropMariaDbDatabase } from '../../databases/mariadb-database.ts'
import type { PrivateDatabase } from '../../databases/private-database.ts'
import { startPrivateMariaDb } from '../../databases/private-mariadb.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

let ofThisProcess: Promise<PrivateDatabase> | undefined

/**
 * The URL of a fresh empty database with an account of its own, dropped in the end. It is on the run's
 * shared server, whose URL the runner puts into `TEST_MARIADB`, or else on one that this process starts
 * once and that ends with it. The shared one does not wait for the disk.
 */
export async function useMariaDb(t: Teardown): Promise<string> {
  const adminUrl = await sharedServer()
  const url = await addMariaDbDatabase(adminUrl)
  t.teardown(async () => dropMariaDbDatabase(adminUrl, url))
  return url
}

/** A server of the test's own with the default settings, that it may kill, freeze and start again. */
export async function useOwnMariaDb(t: Teardown): Promise<{ url: string; server: PrivateDatabase }> {
  const server = await startPrivateMariaDb()
  t.teardown(async () => server.stop())
  return { url: await addMariaDbDatabase(server.url), server }
}

async function sharedServer(): Promise<string> {
  const shared = process.env['TEST_MARIADB']
  if (shared !== undefined && shared !== '') return shared
  ofThisProcess ??= startPrivateMariaDb({ isDurable: false })
  return (await ofThisProcess).url
}
