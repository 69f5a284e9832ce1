import type { Role } from '../../src/auth/principal.ts'
import { testToken } from './token.ts'
import type { Witness } from './witness.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** What came back. */
export interface ApiAnswer {
  readonly status: number
  /** Of JSON; empty where the answer is not JSON. */
  readonly body: JsonObject & { readonly items: readonly JsonObject[] }
  readonly text: string
  readonly headers: Headers
}

/** Somebody who uses the HTTP API of a node. Paths are what follows `/api/v1`. */
export class ApiClient {
  /** Sees all that clients of this process get. */
  static witness: Witness | undefined
  readonly name: string
  readonly token: string | undefined
  readonly #address: string

  private constructor(address: string, name: string, token: string | undefined) {
    this.#address = address
    this.name = name
    this.token = token
  }

  /** With a token for these roles, `user` where none is given. */
  static async as(node: { address: string }, name: string, ...roles: Role[]): Promise<ApiClient> {
    const token = await testToken(name, ...(roles.length > 0 ? roles : (['user'] as const)))
    return new ApiClient(node.address, name, token)
  }

  /** With this token, whosever it is. */
  static with(node: { address: string }, token: string): ApiClient {
    return new ApiClient(node.address, '', token)
  }

  /** Without a token. */
  static nobody(node: { address: string }): ApiClient {
    return new ApiClient(node.address, '', undefined)
  }

  get(path: string): Promise<ApiAnswer> {
    return this.#ask('GET', path)
  }

  /** GET of a path beside the API, as `/healthz`. */
  page(path: string): Promise<ApiAnswer> {
    return this.#ask('GET', path, undefined, '')
  }

  post(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.#ask('POST', path, body)
  }

  /** POST to a path beside the API: an older name. */
  postBeside(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.#ask('POST', path, body, '')
  }

  put(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.#ask('PUT', path, body)
  }

  patch(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.#ask('PATCH', path, body)
  }

  delete(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.#ask('DELETE', path, body)
  }

  async #ask(method: string, path: string, body?: unknown, api = '/api/v1'): Promise<ApiAnswer> {
    const response = await fetch(`${this.#address}${api}${path}`, {
      method,
      headers: {
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const mediaType = mediaTypeOf(response)
    const [witnessed = ''] = `${api}${path}`.split('?')
    ApiClient.witness?.exchange({ method, path: witnessed, status: response.status, mediaType, text })
    const isJson = text !== '' && /[/+]json$/.test(mediaType)
    const parsed = (isJson ? JSON.parse(text) : {}) as ApiAnswer['body']
    return { status: response.status, body: parsed, text, headers: response.headers }
  }
}

function mediaTypeOf({ headers }: Response): string {
  return (headers.get('content-type') ?? '').replace(/;.*/, '')
}
