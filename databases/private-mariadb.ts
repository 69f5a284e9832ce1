import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { freePorts } from '../rabbitmq/free-ports.ts'
import { findMariaDbProgram } from './find-program.ts'
import type { PrivateDatabase, PrivateDatabaseOptions } from './private-database.ts'
import { makeServerHome, runAtHome, writeSecret, type ServerHome } from './server-home.ts'
import { ServerProcess, startServer } from './server-process.ts'

const CONNECT_TIMEOUT_MS = 5_000

/**
 * Starts a MariaDB and resolves when it answers. Works as root and as an ordinary user. Debian's default
 * character set and collation: it compares text without regard to case, as servers in production do.
 *
 * @throws Error with the log's last lines, where it does not come up within 60 s
 */
export async function startPrivateMariaDb(options: PrivateDatabaseOptions = {}): Promise<PrivateDatabase> {
  const install = findMariaDbProgram('mariadb-install-db')
  const mariadbd = findMariaDbProgram('mariadbd')
  if (install === undefined || mariadbd === undefined) {
    throw new Error('MariaDB is not installed: run node --import tsx scripts/install-services.ts')
  }
  const [port = 0] = await freePorts(1)
  const password = randomBytes(16).toString('hex')
  const url = `mysql://root:${password}@127.0.0.1:${port}/mysql`
  const home = await makeServerHome({ name: 'mariadb', account: 'mysql' })
  return startServer(home, async () => {
    await runAtHome(home, install, [
      '--no-defaults',
      `--datadir=${dataOf(home)}`,
      '--skip-test-db',
      // No account over TCP but the one that is made below.
      '--auth-root-authentication-method=socket',
      '--skip-name-resolve',
    ])
    const account = `'root'@'127.0.0.1'`
    const initFile = await writeSecret(
      home,
      'init.sql',
      `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${password}';\n` +
        `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION;\n`,
    )
    return new ServerProcess(home, url, {
      name: 'MariaDB',
      path: mariadbd,
      args: ['--no-defaults', `--init-file=${initFile}`, ...settings(home, port, options)],
      shutDownSignal: 'SIGTERM',
      connects: async () => connects(url),
    })
  })
}

function dataOf(home: ServerHome): string {
  return join(home.dir, 'data')
}

function settings(home: ServerHome, port: number, { isDurable = true }: PrivateDatabaseOptions): string[] {
  return [
    `--datadir=${dataOf(home)}`,
    `--tmpdir=${home.dir}`,
    `--socket=${join(home.dir, 'socket')}`,
    `--pid-file=${join(home.dir, 'pid')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--skip-name-resolve',
    '--max-connections=300',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_general_ci',
    ...(isDurable ? [] : ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=OFF']),
  ]
}

async function connects(url: string): Promise<void> {
  const connection = await createConnection({ uri: url, connectTimeout: CONNECT_TIMEOUT_MS })
  await connection.end()
}
