import { Client } from 'pg'
import { nameAndPassword, urlOfDatabase } from './new-database.ts'

/**
 * Makes an empty database and an ordinary account that owns it.
 *
 * @param adminUrl of an account that may do everything
 * @returns the URL of the new database, with the new account
 */
export async function addPostgresDatabase(adminUrl: string): Promise<string> {
  const { name, password } = nameAndPassword()
  await onServer(adminUrl, [
    `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`,
    `CREATE DATABASE ${name} OWNER ${name}`,
  ])
  return urlOfDatabase(adminUrl, name, password)
}

/** Drops what `addPostgresDatabase` made, and cuts the connections to it. */
export async function dropPostgresDatabase(adminUrl: string, url: string): Promise<void> {
  const name = new URL(url).username
  await onServer(adminUrl, [`DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`])
}

async function onServer(adminUrl: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: adminUrl })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
