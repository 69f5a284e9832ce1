import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Compile, type Validator } from 'typebox/schema'

/** Where what was seen is left for `scripts/check-traffic.ts`, which wants to see everything that is described. */
export const TRAFFIC_FOLDER = fileURLToPath(new URL('../../.tap/traffic/', import.meta.url))

/** What a witness leaves. */
export interface Traffic {
  readonly openApi: OpenApi
  readonly asyncApi: AsyncApi
  /** `get /api/v1/rooms 200`, `/topic/messages gives PublicMessage`. */
  readonly seen: readonly string[]
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
}

interface OpenApiOperation {
  readonly responses: Readonly<Record<string, OpenApiResponse>>
}

interface OpenApiResponse {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

export interface AsyncApi {
  readonly channels: Readonly<Record<string, AsyncApiChannel>>
  readonly operations: Readonly<Record<string, AsyncApiOperation>>
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: object }>> }
}

interface AsyncApiChannel {
  readonly address: string
}

interface AsyncApiOperation {
  readonly action: 'send' | 'receive'
  readonly channel: { readonly $ref: string }
  readonly messages: readonly { readonly $ref: string }[]
}

/** An HTTP exchange as a client saw it. */
export interface Exchange {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  readonly mediaType: string
  readonly text: string
}

interface DescribedMessage {
  readonly operation: string
  readonly action: 'send' | 'receive'
  readonly address: RegExp
  readonly name: string
  readonly validator: Validator
}

interface DescribedOperation {
  readonly method: string
  readonly path: RegExp
  readonly name: string
  readonly operation: OpenApiOperation
}

/** Sees what clients of the tests get, and says what of it is not as the node describes itself. */
export class Witness {
  /** What was seen and is not described. */
  readonly faults: string[] = []
  readonly #openApi: OpenApi
  readonly #asyncApi: AsyncApi
  readonly #operations: readonly DescribedOperation[]
  readonly #messages: readonly DescribedMessage[]
  readonly #validators = new Map<object, Validator>()
  readonly #seen = new Set<string>()

  private constructor(openApi: OpenApi, asyncApi: AsyncApi) {
    this.#openApi = openApi
    this.#asyncApi = asyncApi
    this.#operations = operationsOf(openApi)
    this.#messages = messagesOf(asyncApi)
  }

  /** Of what the node at the address says of itself. */
  static async of(address: string): Promise<Witness> {
    const load = async (path: string): Promise<unknown> => (await fetch(address + path)).json()
    const [openApi, asyncApi] = await Promise.all([load('/openapi.json'), load('/asyncapi.json')])
    return new Witness(openApi as OpenApi, asyncApi as AsyncApi)
  }

  /** An HTTP exchange has to be one of an operation that is described, with an answer that is. */
  exchange({ method, path, status, mediaType, text }: Exchange): void {
    const found = this.#operations.find(
      (each) => each.method === method.toLowerCase() && each.path.test(path),
    )
    if (found === undefined) {
      // What is not there has no description.
      if (status !== 404 && status !== 405) this.faults.push(`${method} ${path} answers ${status}`)
      return
    }
    const { responses } = found.operation
    const isNamed = responses[status] !== undefined
    this.#seen.add(`${found.name} ${isNamed ? status : 'default'}`)
    const response = responses[status] ?? (status < 400 ? undefined : responses['default'])
    if (response !== undefined && this.#isAsSaid(response, mediaType, text)) return
    this.faults.push(`${found.name} ${status} ${mediaType}: ${text.slice(0, 500)}`)
  }

  /** A SEND of a client; only one that fits counts, since tests send what does not. */
  sent(destination: string, body: string): void {
    for (const each of this.#at('receive', destination)) {
      const value = parse(body)
      if (value !== undefined && each.validator.Check(value)) this.#seen.add(`${each.operation} ${each.name}`)
    }
  }

  /** A MESSAGE, or an event of another feed with the destination where it would have come. */
  received(destination: string, body: string): void {
    const described = this.#at('send', destination)
    const fitting = described.filter(({ validator }) => validator.Check(parse(body)))
    for (const { operation, name } of fitting) this.#seen.add(`${operation} ${name}`)
    if (fitting.length === 0) this.faults.push(`${destination}: ${body.slice(0, 500)}`)
  }

  /** Leaves what was seen behind, under a name that nobody else uses. */
  leave(name: string): void {
    mkdirSync(TRAFFIC_FOLDER, { recursive: true })
    const traffic: Traffic = { openApi: this.#openApi, asyncApi: this.#asyncApi, seen: [...this.#seen] }
    writeFileSync(`${TRAFFIC_FOLDER}${name}.json`, JSON.stringify(traffic))
  }

  #at(action: 'send' | 'receive', destination: string): readonly DescribedMessage[] {
    return this.#messages.filter((each) => each.action === action && each.address.test(destination))
  }

  #isAsSaid({ content }: OpenApiResponse, mediaType: string, text: string): boolean {
    if (content === undefined) return text === ''
    const schema = content[mediaType]?.schema
    if (schema === undefined) return false
    let validator = this.#validators.get(schema)
    if (validator === undefined) this.#validators.set(schema, (validator = Compile(schema)))
    return validator.Check(/[/+]json$/.test(mediaType) ? parse(text) : text)
  }
}

/** All that a full run has to have seen. */
export function describedNames({
  openApi,
  asyncApi,
}: Pick<Traffic, 'openApi' | 'asyncApi'>): readonly string[] {
  const http = operationsOf(openApi).flatMap(({ name, operation }) =>
    Object.keys(operation.responses)
      .filter((status) => status !== 'default')
      .map((status) => `${name} ${status}`),
  )
  return [...http, ...messagesOf(asyncApi).map(({ operation, name }) => `${operation} ${name}`)]
}

function operationsOf({ paths }: OpenApi): DescribedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method,
      path: pattern(path, '[^/]+'),
      name: `${method} ${path}`,
      operation,
    })),
  )
}

function messagesOf({ channels, operations, components }: AsyncApi): DescribedMessage[] {
  return Object.entries(operations).flatMap(([operation, { action, channel, messages }]) => {
    const { address } = channels[lastOf(channel.$ref)]!
    return messages.map(({ $ref }) => {
      const name = lastOf($ref)
      const validator = Compile(components.messages[name]!.payload)
      return { operation, action, address: pattern(address, '[A-Za-z0-9_.@-]+?'), name, validator }
    })
  })
}

function lastOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

function pattern(template: string, word: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, word)}$`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
