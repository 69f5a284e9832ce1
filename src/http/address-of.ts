import type { AddressInfo } from 'node:net'

/** Where a server that listens is reached: `http://HOST:PORT`, or `https:`, with the port that was picked. */
export function addressOf(address: AddressInfo | string | null, host: string, isTls: boolean): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
