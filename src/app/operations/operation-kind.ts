import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { OperationType } from '../../../protocol/payload/operation.ts'
import type { Principal, Role } from '../../auth/principal.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { checkPayload } from '../payload.ts'

/** What a chunk made of the world, and how far the operation is with it. */
export interface ChunkEffect {
  readonly events: readonly NewEvent[]
  /** How much more is done. */
  readonly done: number
  /** Where the next chunk begins. Any JSON value. */
  readonly checkpoint: unknown
  readonly isLast: boolean
  /** A piece of the result, of at most some hundred thousand characters. */
  readonly result?: string
}

/** A piece of work small enough that what shares its transaction does not notice. */
export type Chunk = (tx: StoreTransaction) => Promise<ChunkEffect>

/** One operation, as a node does it. Rejects with a MessageError where it cannot succeed any more. */
export interface OperationWork {
  /** How much there is to do. */
  count(): Promise<number>
  /**
   * Reads what the next chunk needs. The chunk itself runs in a transaction, perhaps more than once, and decides
   * on what it reads there.
   * @param checkpoint what the chunk before said; null at the beginning
   */
  next(checkpoint: unknown): Promise<Chunk>
}

/** What there is to say of a type of operations. */
interface KindDefinition<S extends TSchema> {
  readonly type: OperationType
  /** Who may start one; missing: everybody. */
  readonly roles?: readonly Role[]
  readonly hasResult: boolean
  readonly params: S
  /** What `params` cannot say. @throws MessageError `invalid-payload` */
  check?(params: Static<S>): void
  /** Whether this user may do that now. @throws MessageError */
  allow?(user: string, params: Static<S>): Promise<void>
  work(params: Static<S>, user: string): OperationWork
  /** What the result is called when it is saved as a file. */
  fileName?(params: Static<S>): string
}

/** A type of operations, whose parameters are unknown until they were checked. */
export interface OperationKind {
  readonly type: OperationType
  readonly hasResult: boolean
  mayStart(principal: Principal): boolean
  /** @throws MessageError `invalid-payload` where they do not fit */
  parse(params: unknown): CheckedOperation
}

export interface CheckedOperation {
  readonly params: unknown
  allow(user: string): Promise<void>
  work(user: string): OperationWork
  fileName(): string
}

export function operationKind<S extends TSchema>(definition: KindDefinition<S>): OperationKind {
  const { type, roles, hasResult } = definition
  const validator: Validator = Compile(definition.params)
  return {
    type,
    hasResult,
    mayStart: (principal) => roles === undefined || principal.roles.some((role) => roles.includes(role)),
    parse(unknownParams) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `checkPayload` has checked it
      const params = checkPayload(validator, definition.params, unknownParams) as Static<S>
      definition.check?.(params)
      return {
        params,
        allow: async (user) => definition.allow?.(user, params),
        work: (user) => definition.work(params, user),
        fileName: () => definition.fileName?.(params) ?? type,
      }
    },
  }
}
