import { once } from 'node:events'
import process from 'node:process'
import { addMariaDbDatabase } from './mariadb-database.ts'
import { addPostgresDatabase } from './postgres-database.ts'
import { startPrivateMariaDb } from './private-mariadb.ts'
import { startPrivatePostgres } from './private-postgres.ts'

// `npm run postgres` and `npm run mariadb`: a server to try the relay with, gone again after Ctrl-C.
const KINDS = {
  postgres: { start: startPrivatePostgres, addDatabase: addPostgresDatabase },
  mariadb: { start: startPrivateMariaDb, addDatabase: addMariaDbDatabase },
}
const { start, addDatabase } = process.argv[2] === 'mariadb' ? KINDS.mariadb : KINDS.postgres

process.stdout.write('Starting a private database server …\n')
// The server does not keep this process alive, nor do the signals.
const alive = setInterval(() => undefined, 60_000)
const stopAsked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
try {
  const server = await start()
  const url = await addDatabase(server.url)
  process.stdout.write(
    [
      'Ready. In another terminal:',
      '',
      `DATABASE_URL=${url} npm start`,
      '',
      'Ctrl-C stops it and removes its data.',
      '',
    ].join('\n'),
  )
  await stopAsked
  await server.stop()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  clearInterval(alive)
}
