/**
 * A broker address. `hosts` are the servers of one cluster, tried in turn; account and virtual host
 * are the same for all.
 */
export interface BrokerUrl {
  readonly isTls: boolean
  readonly user: string
  readonly password: string
  /** RabbitMQ's default is `/`, which is also what a URL without a path means. */
  readonly vhost: string
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
}

/**
 * Parses `scheme://user:pass@host:port,host:port/vhost`, with the scheme's `s` form for TLS. Everything
 * before the last `@` is the account; account and virtual host are percent-encoded, as in RabbitMQ's
 * URI specification.
 *
 * @throws Error completing "VARIABLE must be …", without the password
 */
export function parseBrokerUrl(text: string, scheme: 'stomp' | 'amqp', defaultPort: number): BrokerUrl {
  const form = `${scheme}://user:pass@host:port/vhost (${scheme}s: for TLS, several hosts separated by commas)`
  const match = /^([a-z]+):\/\/(?:(.*)@)?([^/@]+)(?:\/(.*))?$/.exec(text)
  const [, protocol, account = 'guest:guest', authority = '', path] = match ?? []
  if (protocol !== scheme && protocol !== `${scheme}s`) throw new Error(form)
  const isTls = protocol === `${scheme}s`
  const colon = account.indexOf(':')
  if (colon < 0) throw new Error(form)
  return {
    isTls,
    user: decoded(account.slice(0, colon), form),
    password: decoded(account.slice(colon + 1), form),
    vhost: path === undefined || path === '' ? '/' : decoded(path, form),
    hosts: authority
      .split(',')
      .map((host) => parseHost(host, defaultPort + (isTls ? 1 : 0) * TLS_OFFSET[scheme], form)),
  }
}

/** `stomps` is 61614 by convention and `amqps` 5671: RabbitMQ's networking guide. */
const TLS_OFFSET = { stomp: 1, amqp: -1 } as const

function decoded(part: string, form: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw new Error(form, { cause })
  }
}

function parseHost(text: string, defaultPort: number, form: string): { host: string; port: number } {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? defaultPort : Number(digits)
  if (host === undefined || port < 1 || port > 65535) throw new Error(form)
  return { host, port }
}

/** For people: no account. */
export function describeBrokerUrl(url: BrokerUrl): string {
  return url.hosts.map(({ host, port }) => `${host}:${port}`).join(',')
}
