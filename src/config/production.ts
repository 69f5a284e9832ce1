import { createHash } from 'node:crypto'
import type { BrokerUrl } from './broker-url.ts'
import { isWorldwide } from './trusted-network.ts'

export interface ProductionValues {
  readonly jwtSecret: string | undefined
  readonly allowedOrigins: readonly string[]
  readonly trustProxy: readonly string[]
  readonly stompUrl: BrokerUrl | undefined
  readonly amqpUrl: BrokerUrl | undefined
}

/** What is fine while trying and unsafe among strangers, each of the variable that has to change. */
export function* productionFaults(values: ProductionValues): Iterable<readonly [string, string]> {
  if (values.jwtSecret !== undefined && isGuessable(values.jwtSecret)) {
    yield ['AUTH_JWT_SECRET', 'be random in production: `openssl rand -base64 32` makes one']
  }
  yield* faultsOfOrigins(values.allowedOrigins)
  if (values.trustProxy.some((network) => isWorldwide(network))) {
    yield [
      'TRUST_PROXY',
      'name your proxies in production: with such a network anybody may say where they are',
    ]
  }
  if (isDefaultAccount(values.stompUrl)) yield ['RABBITMQ_STOMP_URL', NO_GUEST]
  if (isDefaultAccount(values.amqpUrl)) yield ['RABBITMQ_AMQP_URL', NO_GUEST]
}

const NO_GUEST =
  'have an account of its own in production: everybody knows guest/guest, and that is no loopback address'

function* faultsOfOrigins(origins: readonly string[]): Iterable<readonly [string, string]> {
  if (origins.includes('*')) {
    yield ['ALLOWED_ORIGINS', 'not be * in production']
  } else if (origins.some((each) => /^https?:\/\/\*\.[^.:]+(:\d+)?$/.test(each))) {
    yield ['ALLOWED_ORIGINS', 'not hold a whole top-level domain in production']
  }
}

/** A random text of 32 characters has more different ones than this, hexadecimal digits included. */
const LEAST_DISTINCT = 8
const PLACEHOLDER =
  /change.?me|your.{0,12}secret|my.?secret|super.?secret|string.?secret|password|example|placeholder|default|12345678/i
/** SHA-256 of secrets that look random and stand in many tutorials, in small letters. */
const PUBLISHED: ReadonlySet<string> = new Set([
  // The hexadecimal key of Spring Boot tutorials about JWT.
  '2b1fa627178e3424e20ffd0e18b7440c322ad538d3c96aef1e3f60d99951c23c',
])

/** Whether it looks made up by a person or copied from a page: long, and known all the same. */
function isGuessable(secret: string): boolean {
  const digest = createHash('sha256').update(secret.toLowerCase()).digest('hex')
  return new Set(secret).size < LEAST_DISTINCT || PLACEHOLDER.test(secret) || PUBLISHED.has(digest)
}

function isDefaultAccount(url: BrokerUrl | undefined): boolean {
  if (url === undefined || url.user !== 'guest' || url.password !== 'guest') return false
  return url.hosts.some(({ host }) => !isLoopback(host))
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare)
}
