import { isIPv4, isIPv6 } from 'node:net'

const GROUPS = 8
/** What one customer or machine has at least: counting single addresses of it would count nothing. */
const NETWORK_GROUPS = 4
/** All that is no address counts together. */
const UNKNOWN = 'unknown'

/**
 * By what limits for an address count: an IPv4 address itself, also where it came mapped into IPv6, and
 * the /64 network of an IPv6 address.
 */
export function addressKey(address: string): string {
  const bare = withoutPort(address).replace(/%.*$/, '')
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare) ?? []
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (isIPv6(bare)) return networkOf(bare)
  return isIPv4(bare) ? bare : UNKNOWN
}

/** Some proxies write `192.0.2.7:50123` and `[2001:db8::1]:443`: a key for each connection would bound nothing. */
function withoutPort(address: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(address) ?? []
  return bracketed ?? dotted ?? address
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::')
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: Math.max(0, GROUPS - front.length - back.length) }, () => '0')
  const network = [...front, ...zeros, ...back].slice(0, NETWORK_GROUPS)
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** A dotted tail stands for two groups; it never lies in the first four. */
function groupsOf(part: string): string[] {
  return part.split(':').flatMap((group) => {
    if (group === '') return []
    return group.includes('.') ? ['0', '0'] : [group]
  })
}
