import { Compile, type Validator } from 'typebox/compile'
import type { Static, TSchema } from 'typebox'
import type { HeaderList } from '../../protocol/frame.ts'
import type { Principal } from '../auth/principal.ts'
import { MessageError } from '../errors.ts'
import { compileDestinationPattern, type DestinationPattern } from './destination-pattern.ts'
import { parsePayload } from './payload.ts'

/** What a handler knows of the frame it answers. */
export interface AppContext {
  readonly principal: Principal
  readonly sessionId: string
  readonly destination: string
  /** The variables of the pattern: `{room}` of `/app/rooms/{room}/messages`. */
  readonly params: Readonly<Record<string, string>>
  readonly headers: HeaderList
  /**
   * Sends to this session alone, at its own subscription to `/user/queue/…` (Spring's `@SendToUser`
   * with `broadcast = false`). Nothing happens where it has none. `payload` is written as JSON.
   */
  readonly reply: (destination: string, payload: unknown) => void
}

/** SEND to `/app/…`. Resolves when the effect is durable; that is when the client gets its RECEIPT. */
export interface MessageMapping<S extends TSchema> {
  readonly payload: S
  /** No body at all stands for `{}`. */
  readonly isBodyOptional?: true
  /**
   * Called in the order of the session's frames, without waiting for the one before: what must keep
   * that order is begun before the first `await`.
   */
  handle(context: AppContext, payload: Static<S>): Promise<void>
}

/** SUBSCRIBE to `/app/…`: answered once, directly (Spring's `@SubscribeMapping`). */
export interface SubscribeMapping {
  /** Resolves with what the subscriber gets as JSON. */
  answer(context: AppContext): Promise<unknown>
}

/** What is registered, for whoever describes it. */
export interface Mapping {
  readonly pattern: string
  /** Of a SEND; missing where it is a SUBSCRIBE. */
  readonly payload?: TSchema
}

type BoundHandler = (context: AppContext, body: Uint8Array) => Promise<void>

/** Application handlers by destination pattern. The first registered pattern that fits answers. */
export class App {
  readonly #mappings: Mapping[] = []
  readonly #messages: { pattern: DestinationPattern; handle: BoundHandler }[] = []
  readonly #subscriptions: { pattern: DestinationPattern; mapping: SubscribeMapping }[] = []

  get mappings(): readonly Mapping[] {
    return this.#mappings
  }

  /** @param pattern `/app/…` whose words in braces stand for one word each */
  message<S extends TSchema>(pattern: string, mapping: MessageMapping<S>): this {
    const validator: Validator = Compile(mapping.payload)
    this.#mappings.push({ pattern, payload: mapping.payload })
    this.#messages.push({
      pattern: compileDestinationPattern(pattern),
      handle: (context, body) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema has just been checked
        const payload = parsePayload(validator, mapping.payload, bodyOf(mapping, body)) as Static<S>
        return mapping.handle(context, payload)
      },
    })
    return this
  }

  subscription(pattern: string, mapping: SubscribeMapping): this {
    this.#mappings.push({ pattern })
    this.#subscriptions.push({ pattern: compileDestinationPattern(pattern), mapping })
    return this
  }

  /**
   * Runs the handler of a SEND.
   *
   * @throws MessageError `unknown-destination`, `invalid-payload`, or what the handler refuses with
   */
  handleMessage(context: Omit<AppContext, 'params'>, body: Uint8Array): Promise<void> {
    for (const { pattern, handle } of this.#messages) {
      const params = pattern(context.destination)
      if (params !== undefined) return handle({ ...context, params }, body)
    }
    throw unknownDestination(context.destination)
  }

  /** Answers a SUBSCRIBE. @throws as `handleMessage` */
  answerSubscription(context: Omit<AppContext, 'params'>): Promise<unknown> {
    for (const { pattern, mapping } of this.#subscriptions) {
      const params = pattern(context.destination)
      if (params !== undefined) return mapping.answer({ ...context, params })
    }
    throw unknownDestination(context.destination)
  }
}

const EMPTY_OBJECT = Buffer.from('{}')

function bodyOf(
  { isBodyOptional = false }: { readonly isBodyOptional?: boolean },
  body: Uint8Array,
): Uint8Array {
  return isBodyOptional && body.byteLength === 0 ? EMPTY_OBJECT : body
}

function unknownDestination(destination: string): MessageError {
  return new MessageError('unknown-destination', `nothing answers at ${destination}`)
}
