import { BlockList, isIP } from 'node:net'

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

/** IPv4 addresses as IPv6 ones: RFC 4291, section 2.5.5.2. */
const MAPPED = '::ffff:0:0'
const MAPPED_BITS = 96

/**
 * Whether the network is so large that strangers are in it, as are `0.0.0.0/0` and its halves, also where they are
 * written as IPv6.
 */
export function isWorldwide(network: string): boolean {
  const [address = '', text] = network.split('/')
  if (text === undefined) return false
  const bits = Number(text)
  if (isIP(address) === 4) return bits < LEAST_BITS[4]
  return bits < LEAST_BITS[6] || (bits < MAPPED_BITS + LEAST_BITS[4] && holdsMapped(address, bits))
}

function holdsMapped(address: string, bits: number): boolean {
  const mapped = new BlockList()
  mapped.addSubnet(MAPPED, MAPPED_BITS, 'ipv6')
  const network = new BlockList()
  network.addSubnet(address, bits, 'ipv6')
  return mapped.check(address, 'ipv6') || network.check(MAPPED, 'ipv6')
}
