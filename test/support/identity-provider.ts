import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export const ISSUER = 'https://id.example.com/'
export const AUDIENCE = 'stomp-relay'

/** A key pair of the provider. */
export interface ProviderKey {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function providerKey(algorithm: string, kid: string): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm)
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } }
}

/** What a test may make otherwise of a token. */
export interface Forgery {
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
}

/** A token of the provider for an hour, unless the test says otherwise. */
export async function providerToken(
  { privateKey, jwk }: ProviderKey,
  name: string,
  { header = {}, claims = {} }: Forgery = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const good = { sub: name, roles: ['user'], iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3600 }
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid ?? '', ...header })
    .sign(privateKey)
}

type Respond = (
  count: number,
) => { status?: number; body?: string; headers?: Record<string, string> } | undefined

/** An HTTP server on loopback that publishes keys, or whatever the test wants instead. */
export class IdentityProvider {
  readonly url: string
  keys: readonly JWK[] = []
  /** Requests so far. */
  count = 0
  /** Instead of the keys; undefined: it never answers. */
  respond: Respond | undefined
  readonly #server: Server
  readonly #port: number

  private constructor(server: Server) {
    this.#server = server
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    this.#port = (server.address() as AddressInfo).port
    this.url = `http://127.0.0.1:${this.#port}/keys`
    server.on('request', (_request, response) => {
      this.count += 1
      const answer =
        this.respond === undefined ? { body: JSON.stringify({ keys: this.keys }) } : this.respond(this.count)
      if (answer === undefined) return
      const { status = 200, body = '', headers = {} } = answer
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers })
      response.end(body)
    })
  }

  static async open(t: Teardown, keys: readonly JWK[]): Promise<IdentityProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const provider = new IdentityProvider(server)
    provider.keys = keys
    t.teardown(() => provider.leave())
    return provider
  }

  /** Refuses connections from now on. Idempotent. */
  async leave(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  /** At the same address. */
  async comeBack(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
  }
}
