export interface PrivateDatabaseOptions {
  /**
   * False trades safety against a crash of the machine for speed: commits do not wait for the disk. That
   * outlives `kill -9` of PostgreSQL, but not of MariaDB. Default true, the server's own settings.
   */
  readonly isDurable?: boolean
}

/**
 * A database server of our own on loopback, with a random password and nothing in it. It does not keep
 * this process alive, and ends when this process ends, however that comes about.
 */
export interface PrivateDatabase {
  /** Of the account that may do everything, for the functions that add and drop databases. */
  readonly url: string
  readonly host: string
  /** Stays the same when it is started again. */
  readonly port: number
  /** The server's first process; undefined while it does not run. */
  readonly pid: number | undefined
  /** Starts it again with the same data and port; resolves when it answers a connection. */
  start(): Promise<void>
  /** `kill -9` of all its processes; resolves when they are gone. The data stays for `start`. */
  kill(): Promise<void>
  /** Ends it in order, which cuts open connections; resolves when it is gone. The data stays for `start`. */
  shutDown(): Promise<void>
  /** SIGSTOP to all its processes: connections stay open, new ones are accepted, nothing answers. */
  freeze(): Promise<void>
  /** Goes on after `freeze`. */
  thaw(): void
  /** Ends everything that was started and removes the data. Idempotent. */
  stop(): Promise<void>
}
