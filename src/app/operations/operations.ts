import type { Operation, OperationPost, OperationType } from '../../../protocol/payload/operation.ts'
import type { Principal } from '../../auth/principal.ts'
import { MessageError } from '../../errors.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { OperationRow, OperationSummary } from '../../store/operations.ts'
import type { Page, Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { repeatable } from '../../stream/request-key.ts'
import type { OperationKind } from './operation-kind.ts'
import { operationEvent, operationInfo } from './operation-status.ts'

/** What a repetition repeats, whichever path it took. */
const SCOPE = 'POST /api/v1/operations'
const DEFAULT_MAX_PENDING = 20

export interface OperationsOptions {
  readonly store: Pick<Store, 'operations'>
  readonly appender: Pick<StreamAppender, 'append'>
  readonly kinds: readonly OperationKind[]
  /** An operation waits for a node. Must not throw. */
  readonly onQueued: () => void
  /** Those of one user that have not ended. Default 20. */
  readonly maxPending?: number
}

/** The user has as many operations under way as one may have. */
export class TooManyOperations extends MessageError {
  constructor(max: number) {
    super('too-many-pending', `${max} operations of yours have not ended yet`)
  }
}

/** What a result is, and how it is read. */
export interface OperationResult {
  readonly fileName: string
  readonly pieces: AsyncIterable<string>
}

/** Long operations, for those who start, follow and cancel them. What is not theirs is not there. */
export class Operations {
  readonly counters = { started: 0, refused: 0, cancelRequested: 0 }
  readonly #options: OperationsOptions
  readonly #kinds: ReadonlyMap<string, OperationKind>
  readonly #maxPending: number

  constructor(options: OperationsOptions) {
    this.#options = options
    this.#kinds = new Map(options.kinds.map((kind) => [kind.type, kind]))
    this.#maxPending = options.maxPending ?? DEFAULT_MAX_PENDING
  }

  /**
   * Resolves when the operation is durable; a node begins as soon as one is free.
   *
   * @throws MessageError `forbidden`, `invalid-payload`, TooManyOperations, and what the type refuses with
   */
  async start(principal: Principal, post: OperationPost): Promise<Operation> {
    const { name: user } = principal
    const checked = this.#kindFor(principal, post.type).parse(post.params)
    await checked.allow(user)
    const row = newRow(user, post.type, checked.params)
    const storedId = await this.#store(row, post.clientId)
    this.#options.onQueued()
    if (storedId !== row.id) return operationInfo(await this.find(user, storedId))
    this.counters.started += 1
    return operationInfo(row)
  }

  /** How much such an operation would do. @throws as `start` */
  async count(principal: Principal, { type, params }: OperationPost): Promise<number> {
    const checked = this.#kindFor(principal, type).parse(params)
    await checked.allow(principal.name)
    return checked.work(principal.name).count()
  }

  /** Newest first. */
  list(user: string, page: Page): Promise<readonly OperationSummary[]> {
    return this.#options.store.operations.list(user, page)
  }

  /** @throws MessageError `not-found`, also where it is somebody else's */
  async find(user: string, id: string): Promise<OperationRow> {
    return owned(await this.#options.store.operations.find(id), user)
  }

  /**
   * Ends one that waits at once, and one that runs before its next chunk, unless there is none. Answers what it is
   * then.
   *
   * @throws MessageError `not-found`, and `conflict` where it has ended
   */
  async cancel(user: string, id: string): Promise<Operation> {
    const { result } = await this.#options.appender.append(async (tx) => {
      const row = owned(await tx.operations.find(id), user)
      if (row.endedAt !== null) throw new MessageError('conflict', 'the operation has ended')
      if (row.isCancelRequested) return { events: [], result: row }
      const cancelled = cancelledRow(row)
      tx.operations.save(cancelled)
      return { events: [operationEvent(cancelled)], result: cancelled }
    })
    this.counters.cancelRequested += 1
    return operationInfo(result)
  }

  /**
   * What an operation resulted in, if its user may still see that.
   *
   * @throws MessageError `not-found`, and `conflict` where it has not succeeded
   */
  async result(user: string, id: string): Promise<OperationResult> {
    const row = await this.find(user, id)
    const kind = this.#kinds.get(row.type)
    if (kind?.hasResult !== true)
      throw new MessageError('not-found', 'operations of this type have no result')
    if (row.state !== 'SUCCEEDED') throw new MessageError('conflict', `the operation is ${row.state}`)
    const checked = kind.parse(row.params)
    await checked.allow(user)
    return { fileName: checked.fileName(), pieces: this.#pieces(row) }
  }

  /** Resolves with the id of what is stored, which is the first one's where the request is a repetition. */
  async #store(row: OperationRow, clientId: string | undefined): Promise<string> {
    const { user } = row
    const max = this.#maxPending
    try {
      const { result } = await this.#options.appender.append(
        async (tx) => {
          if ((await tx.operations.countUnended(user)) >= max) throw new TooManyOperations(max)
          tx.operations.insert(row)
          return { events: [operationEvent(row)], result: { id: row.id } }
        },
        { request: repeatable({ user, scope: `${SCOPE} ${row.type}`, clientId }) },
      )
      return result.id
    } catch (error) {
      if (error instanceof TooManyOperations) this.counters.refused += 1
      throw error
    }
  }

  async *#pieces({ id, parts }: OperationRow): AsyncGenerator<string> {
    for (let part = 0; part < parts; part++) {
      const text = await this.#options.store.operations.resultPart(id, part)
      // It was removed meanwhile: a download that is cut off must not look like a whole one.
      if (text === null) throw new MessageError('not-found', 'the result is no longer kept')
      yield text
    }
  }

  #kindFor(principal: Principal, type: OperationType): OperationKind {
    const kind = this.#kinds.get(type)
    if (kind === undefined) throw new MessageError('invalid-payload', '/type is not known')
    if (!kind.mayStart(principal)) throw new MessageError('forbidden', `you may not start ${type}`)
    return kind
  }
}

function newRow(user: string, type: string, params: unknown): OperationRow {
  return {
    id: timeOrderedId(),
    user,
    type,
    params,
    state: 'QUEUED',
    done: 0,
    total: null,
    error: null,
    node: null,
    run: null,
    checkpoint: null,
    isCancelRequested: false,
    attempts: 0,
    parts: 0,
    createdAt: new Date().toISOString(),
    startedAt: null,
    endedAt: null,
  }
}

function cancelledRow(row: OperationRow): OperationRow {
  const requested = { ...row, isCancelRequested: true }
  return row.state === 'QUEUED'
    ? { ...requested, state: 'CANCELLED', endedAt: new Date().toISOString() }
    : requested
}

function owned(row: OperationRow | null, user: string): OperationRow {
  if (row === null || row.user !== user) throw new MessageError('not-found', 'there is no such operation')
  return row
}
