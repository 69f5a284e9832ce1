/** How a database thread opens its connection. */
export interface ThreadOptions {
  readonly path: string
  /** How long a statement waits for the lock of another process, in milliseconds. */
  readonly busyTimeoutMs: number
  /** SQL that is run first, of each connection anew: the pragmas. */
  readonly setup: string
  /** Of `sqlite-exit-gate.ts`. */
  readonly gate: SharedArrayBuffer
}

/** What SQLite stores, in the form that libsql takes: an integer is a bigint, a number is REAL. */
export type SqliteValue = string | number | bigint | Uint8Array | null

export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqliteValue[]
  /**
   * Belongs to the transaction that is open: refused where none is. Otherwise it stands alone or begins
   * one, and a transaction that is still open was abandoned and is rolled back first.
   */
  readonly isInTransaction: boolean
}

export interface Answer {
  readonly rows?: readonly object[]
  /** Of statements without rows. */
  readonly changes?: number | bigint
  readonly lastInsertRowid?: number | bigint
}

export interface Failure {
  readonly failure: {
    readonly message: string
    /** SQLite's: `SQLITE_BUSY`, `SQLITE_CONSTRAINT_UNIQUE`. */
    readonly code?: string
  }
}

export type Outcome = Answer | Failure

/** To a thread: statements to run in their order, or the end. */
export type ThreadRequest = readonly Statement[] | 'close'

/** From a thread: first whether it is open, then the outcomes of each request in the order of requests. */
export type ThreadMessage = 'open' | Failure | readonly Outcome[]
