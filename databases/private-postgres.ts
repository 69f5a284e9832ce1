import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePorts } from '../rabbitmq/free-ports.ts'
import { findPostgresProgram } from './find-program.ts'
import type { PrivateDatabase, PrivateDatabaseOptions } from './private-database.ts'
import { makeServerHome, runAtHome, writeSecret, type ServerHome } from './server-home.ts'
import { ServerProcess, startServer } from './server-process.ts'

const CONNECT_TIMEOUT_MS = 5_000

/**
 * A killed server leaves a segment of System V shared memory, whose number is in its pid file. Linux has
 * 4,096 of them.
 */
const REMOVE_SHARED_MEMORY = `ipcrm -m "$(awk 'NR == 7 { print $2 }' "$1/data/postmaster.pid")"`

/**
 * Starts a PostgreSQL and resolves when it answers. Works as root and as an ordinary user. It sorts by
 * the rules of English, as a server in production may, where its version can do so without the system.
 *
 * @throws Error with the log's last lines, where it does not come up within 60 s
 */
export async function startPrivatePostgres(options: PrivateDatabaseOptions = {}): Promise<PrivateDatabase> {
  const initdb = findPostgresProgram('initdb')
  const postgres = findPostgresProgram('postgres')
  if (initdb === undefined || postgres === undefined) {
    throw new Error('PostgreSQL is not installed: run node --import tsx scripts/install-services.ts')
  }
  const [port = 0] = await freePorts(1)
  const password = randomBytes(16).toString('hex')
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  const home = await makeServerHome({
    name: 'postgres',
    account: 'postgres',
    farewell: REMOVE_SHARED_MEMORY,
  })
  return startServer(home, async () => {
    await createCluster(home, initdb, password)
    return new ServerProcess(home, url, {
      name: 'PostgreSQL',
      path: postgres,
      args: ['-D', dataOf(home), ...settings(port, options).flatMap((setting) => ['-c', setting])],
      shutDownSignal: 'SIGINT',
      connects: async () => connects(url),
    })
  })
}

function dataOf(home: ServerHome): string {
  return join(home.dir, 'data')
}

async function createCluster(home: ServerHome, initdb: string, password: string): Promise<void> {
  const passwordFile = await writeSecret(home, 'password', password)
  await runAtHome(home, initdb, [
    `--pgdata=${dataOf(home)}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    '--no-sync',
    ...((await canSortAsIcu(home, initdb)) ? ['--locale-provider=icu', '--icu-locale=en-US'] : []),
  ])
  await rm(passwordFile)
}

/** From version 15 on. */
async function canSortAsIcu(home: ServerHome, initdb: string): Promise<boolean> {
  return (await runAtHome(home, initdb, ['--help'])).includes('--icu-locale')
}

function settings(port: number, { isDurable = true }: PrivateDatabaseOptions): string[] {
  return [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=300',
    // In the folder, or `kill -9` would leave it in /dev/shm.
    'dynamic_shared_memory_type=mmap',
    ...(isDurable ? [] : ['fsync=off', 'full_page_writes=off']),
  ]
}

async function connects(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  client.on('error', () => undefined)
  await client.connect()
  await client.end()
}
