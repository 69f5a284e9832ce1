import Database from 'libsql'
import { NodeError } from '../../errors.ts'

/**
 * Takes the right to serve an SQLite file. A second file beside it is held locked by SQLite itself,
 * with the operating system's locks: they end with the process, however it dies, and reading and
 * writing of the database by short commands goes on meanwhile. The file stays and means nothing
 * by itself. Answers the function that gives the right back.
 * @throws NodeError `database-in-use`, or libsql's error where the second file cannot be used
 */
export function lockSqlite(path: string): () => void {
  const lock = new Database(`${path}.lock`)
  try {
    lock.exec('pragma busy_timeout = 0')
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    if (!isBusy(cause)) throw cause
    throw new NodeError('database-in-use', `${path} is in use by another process that serves it`, { cause })
  }
  return () => {
    lock.exec('rollback')
    lock.close()
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
}
