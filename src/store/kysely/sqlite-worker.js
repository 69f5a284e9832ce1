// @ts-check
// The body of a database thread: one SQLite connection, which answers `sqlite-thread.ts`. JavaScript,
// because Node 20 starts threads without the hooks that let a process load TypeScript.
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'libsql'

/** @import { Outcome, Statement, ThreadOptions, ThreadMessage } from './sqlite-messages.ts' */

const MAX_CACHED_STATEMENTS = 200

if (parentPort === null) throw new Error('this module is the body of a thread')
const port = parentPort
const gate = new Int32Array(workerData.gate)
// Places in the gate, as in sqlite-exit-gate.ts.
const IS_INSIDE = 0
const IS_SHUT = 1
/** @type {Map<string, { statement: ReturnType<typeof prepare>, isReader: boolean, parameterCount: number }>} */
const cache = new Map()
const db = inside(() => open(workerData))
if (db !== undefined) {
  port.on('message', (message) => {
    if (message === 'close') inside(close)
    else say(message.map((/** @type {Statement} */ statement) => inside(() => answer(statement))))
  })
  say('open')
}

/**
 * Whatever calls libsql passes here.
 * @template T
 * @param {() => T} work
 */
function inside(work) {
  Atomics.store(gate, IS_INSIDE, 1)
  try {
    if (Atomics.load(gate, IS_SHUT) === 1) throw new Error('the process is ending')
    return work()
  } finally {
    Atomics.store(gate, IS_INSIDE, 0)
    Atomics.notify(gate, IS_INSIDE)
  }
}

/**
 * @param {ThreadOptions} options
 * @returns {InstanceType<typeof Database> | undefined}
 */
function open({ path, busyTimeoutMs, setup }) {
  let opened
  try {
    opened = new Database(path)
    opened.exec(`pragma busy_timeout = ${busyTimeoutMs}`)
    opened.exec(setup)
    return opened
  } catch (error) {
    opened?.close()
    say(toFailure(error))
    return undefined
  }
}

function close() {
  cache.clear()
  db?.close()
  port.close()
}

/** @param {ThreadMessage} message */
function say(message) {
  port.postMessage(message)
}

/**
 * @param {Statement} statement
 * @returns {Outcome}
 */
function answer({ sql, parameters, isInTransaction }) {
  try {
    if (db === undefined) throw new Error('the database is not open')
    // SQLite ends a transaction by itself at some errors: what was meant for it must not be stored.
    if (isInTransaction && !db.inTransaction) throw new Error('the transaction is over')
    // Its owner gave it up without an answer.
    if (!isInTransaction && db.inTransaction) db.exec('rollback')
    return run(sql, parameters)
  } catch (error) {
    return toFailure(error)
  }
}

/**
 * @param {string} sql
 * @param {Statement['parameters']} parameters
 * @returns {Outcome}
 */
function run(sql, parameters) {
  const { statement, isReader, parameterCount } = cached(sql)
  // libsql takes missing ones for NULL.
  if (parameters.length !== parameterCount)
    throw new TypeError(`${parameterCount} parameters wanted, ${parameters.length} given`)
  if (isReader) return { rows: statement.all(parameters).map(toRow) }
  const { changes, lastInsertRowid } = statement.run(parameters)
  return { changes, lastInsertRowid }
}

/** @param {string} sql */
function cached(sql) {
  let entry = cache.get(sql)
  if (entry === undefined) {
    const statement = prepare(sql)
    entry = { statement, isReader: statement.reader, parameterCount: countParameters(sql) }
    const [oldest] = cache.keys()
    if (oldest !== undefined && cache.size >= MAX_CACHED_STATEMENTS) cache.delete(oldest)
  } else {
    cache.delete(sql) // comes back as the youngest
  }
  cache.set(sql, entry)
  return entry
}

/** @param {string} sql */
function prepare(sql) {
  if (db === undefined) throw new Error('the database is not open')
  return db.prepare(sql)
}

/**
 * Kysely writes texts as parameters, so that a question mark in SQL is always one.
 * @param {string} sql
 */
function countParameters(sql) {
  let count = 0
  for (let i = sql.indexOf('?'); i !== -1; i = sql.indexOf('?', i + 1)) count += 1
  return count
}

/**
 * libsql answers a blob as ArrayBuffer.
 * @param {any} row
 */
function toRow(row) {
  for (const name in row) if (row[name] instanceof ArrayBuffer) row[name] = new Uint8Array(row[name])
  return row
}

/**
 * An Error that crosses threads keeps its message and loses its code.
 * @param {unknown} error
 */
function toFailure(error) {
  if (!(error instanceof Error)) return { failure: { message: String(error) } }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { failure: code === undefined ? { message: error.message } : { message: error.message, code } }
}
