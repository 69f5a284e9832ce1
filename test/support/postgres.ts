import process from 'node:process'
import { addPostgresDatabase, dropPostgresDatabase } from '../../databases/postgres-database.ts'
import type { PrivateDatabase } from '../../databases/private-database.ts'
import { startPrivatePostgres } from '../../databases/private-postgres.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

let ofThisProcess: Promise<PrivateDatabase> | undefined

/**
 * The URL of a fresh empty database with an account of its own, dropped in the end. It is on the run's
 * shared server, whose URL the runner puts into `TEST_POSTGRES`, or else on one that this process starts
 * once and that ends with it. The shared one does not wait for the disk.
 */
export async function usePostgres(t: Teardown): Promise<string> {
  const adminUrl = await sharedServer()
  const url = await addPostgresDatabase(adminUrl)
  t.teardown(async () => dropPostgresDatabase(adminUrl, url))
  return url
}

/** A server of the test's own with the default settings, that it may kill, freeze and start again. */
export async function useOwnPostgres(t: Teardown): Promise<{ url: string; server: PrivateDatabase }> {
  const server = await startPrivatePostgres()
  t.teardown(async () => server.stop())
  return { url: await addPostgresDatabase(server.url), server }
}

async function sharedServer(): Promise<string> {
  const shared = process.env['TEST_POSTGRES']
  if (shared !== undefined && shared !== '') return shared
  ofThisProcess ??= startPrivatePostgres({ isDurable: false })
  return (await ofThisProcess).url
}
