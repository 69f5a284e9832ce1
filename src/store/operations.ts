/** How far an operation is. */
export const OPERATION_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const

export type OperationState = (typeof OPERATION_STATES)[number]

/** Work that outlives the request that asked for it, and the node that does it. */
export interface OperationRow {
  /** A UUID version 7: sorts by time. */
  readonly id: string
  /** Who asked for it. */
  readonly user: string
  readonly type: string
  /** Any JSON value. */
  readonly params: unknown
  readonly state: OperationState
  /** How much is done, of `total`, which is null until it was counted. */
  readonly done: number
  readonly total: number | null
  /** Why it failed. Any JSON value; null where it did not. */
  readonly error: unknown
  /** Where it runs, or ran last. */
  readonly node: string | null
  /** Of which claim it is: whoever holds another one does nothing more. Null while nobody has it. */
  readonly run: string | null
  /** Where to go on. Any JSON value; null at the beginning. */
  readonly checkpoint: unknown
  readonly isCancelRequested: boolean
  /** Claims since it last got on. */
  readonly attempts: number
  /** Pieces of its result. */
  readonly parts: number
  readonly createdAt: string
  readonly startedAt: string | null
  readonly endedAt: string | null
}

/** What lists show: no parameters, which may be long. */
export type OperationSummary = Omit<OperationRow, 'params' | 'checkpoint'>

/** Leases are by the database's own clock, so that clocks of nodes may differ. */
export interface OperationRepository {
  find(id: string): Promise<OperationRow | null>
  /** Of one user, newest first. */
  list(
    user: string,
    page: { readonly limit: number; readonly before?: string },
  ): Promise<readonly OperationSummary[]>
  /** How many there are in each state; states without any are missing. */
  countByState(): Promise<ReadonlyMap<string, number>>
  /** Whether `findClaimable` might find one, which costs a transaction. */
  hasClaimable(): Promise<boolean>
  /** Keeps the lease for `ttlMs` from now. Answers false, and changes nothing, where the run is not the present one. */
  renew(id: string, run: string, ttlMs: number): Promise<boolean>
  /** One piece of the result, the first is 0; null where there is none. */
  resultPart(id: string, part: number): Promise<string | null>
  /** Removes about `limit` operations that ended before a time, with their results, and answers how many. */
  trim(beforeIso: string, limit: number): Promise<number>
}

/** The part of a transaction that changes operations. */
export interface OperationWriter {
  insert(row: OperationRow): void
  /** As this transaction sees it, own saves included; locked until the transaction ends. */
  find(id: string): Promise<OperationRow | null>
  /**
   * Overwrites all but `id`, `user`, `type`, `params` and `createdAt` of a row that this transaction found. The
   * lease lasts for `leaseMs` from now, or without as it did.
   */
  save(row: OperationRow, leaseMs?: number): void
  /**
   * How many of a user have not ended, own ones included. Transactions that ask this for one user follow
   * one another.
   */
  countUnended(user: string): Promise<number>
  /**
   * The oldest that nobody runs, locked until the transaction ends: it is queued, and its user has none that runs,
   * or the lease of its run is over. Null where there is none, or somebody else is about to take it, or this
   * transaction has saved one of that user.
   */
  findClaimable(): Promise<OperationRow | null>
  /** Adds a piece of the result; the number of the first is 0. */
  addResult(id: string, part: number, text: string): void
}
