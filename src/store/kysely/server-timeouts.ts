/** How long anything on a database server may take, in milliseconds. */
export interface ServerTimeouts {
  /** To connect and log in. Default 5,000. */
  readonly connectMs: number
  /** One statement, by the server's clock. The connection is given up half as much later. Default 5,000. */
  readonly statementMs: number
  /** To wait for a lock of another node. Default 2,000. */
  readonly lockMs: number
  /** A transaction that asks nothing: beyond it the server ends it, as its node must be frozen. Default 15,000. */
  readonly idleInTransactionMs: number
  /** To wait for a connection that is free. Default 5,000. */
  readonly acquireMs: number
}

export const SERVER_TIMEOUTS: ServerTimeouts = {
  connectMs: 5000,
  statementMs: 5000,
  lockMs: 2000,
  idleInTransactionMs: 15_000,
  acquireMs: 5000,
}
