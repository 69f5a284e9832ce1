import { isIP } from 'node:net'

const CLAIM = 'addresses, or networks as ADDRESS/BITS'

const BITS = { 4: 32, 6: 128 } as const

/**
 * An address or a network of proxies, as given.
 *
 * @throws Error completing "VARIABLE must be …"
 */
export function trustedNetwork(text: string): string {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const family = isIP(address)
  if (family !== 4 && family !== 6) throw new Error(CLAIM)
  if (bits !== undefined && Number(bits) > BITS[family]) throw new Error(CLAIM)
  return text
}

/** Private networks are at least so long: 10.0.0.0/8 and fc00::/7. */
const LEAST_BITS = { 4: 8, 6: 7 } as const

/** Whether the network is so large that strangers are in it, as are `0.0.0.0/0` and its halves. */
export function isWorldwide(network: string): boolean {
  const [address = '', bits] = network.split('/')
  return bits !== undefined && Number(bits) < LEAST_BITS[isIP(address) === 6 ? 6 : 4]
}
