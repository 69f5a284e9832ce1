import { createConnection } from 'mysql2/promise'
import { nameAndPassword, urlOfDatabase } from './new-database.ts'

/**
 * Makes an empty database and an ordinary account that may do everything in it.
 *
 * @param adminUrl of an account that may do everything
 * @returns the URL of the new database, with the new account
 */
export async function addMariaDbDatabase(adminUrl: string): Promise<string> {
  const { name, password } = nameAndPassword()
  const account = `${name}@'127.0.0.1'`
  await onServer(adminUrl, [
    `CREATE DATABASE ${name}`,
    `CREATE USER ${account} IDENTIFIED BY '${password}'`,
    `GRANT ALL ON ${name}.* TO ${account}`,
  ])
  return urlOfDatabase(adminUrl, name, password)
}

/** Drops what `addMariaDbDatabase` made, and cuts the account's connections. */
export async function dropMariaDbDatabase(adminUrl: string, url: string): Promise<void> {
  const name = new URL(url).username
  const account = `${name}@'127.0.0.1'`
  // First, or DROP DATABASE would wait for their transactions.
  await onServer(adminUrl, [`KILL USER ${account}`, `DROP DATABASE ${name}`, `DROP USER ${account}`])
}

async function onServer(adminUrl: string, statements: readonly string[]): Promise<void> {
  const connection = await createConnection({ uri: adminUrl })
  try {
    for (const statement of statements) await connection.query(statement)
  } finally {
    await connection.end()
  }
}
