import type { Server } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'
import { addressKey } from '../lib/address-key.ts'
import { Tally } from '../lib/tally.ts'

export interface SilentConnectionsOptions {
  /** Proxies: what comes from them comes from many. Addresses, or networks as ADDRESS/BITS. */
  readonly trusted: readonly string[]
  /** Connections of one address on which nothing was asked yet; those beyond it are cut. */
  readonly maxPerAddress?: number | undefined
}

interface Entry {
  readonly socket: Socket
  /** It counts against its address no longer. */
  readonly release: () => void
}

/**
 * Connections on which nothing was asked yet: browsers open some in advance, and attackers many. To Node
 * they are not idle, and closing a server would wait for their first request until it times out.
 */
export class SilentConnections {
  /** By the peer's address and port: what TLS hands on is not the socket that came. */
  readonly #entries = new Map<string, Entry>()
  readonly #perAddress = new Tally()
  readonly #trusted = new BlockList()
  readonly #maxPerAddress: number
  #isClosing = false

  constructor({ trusted, maxPerAddress = Infinity }: SilentConnectionsOptions) {
    this.#maxPerAddress = maxPerAddress
    for (const entry of trusted) {
      const [address = '', bits] = entry.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.#trusted.addAddress(address, family)
      else this.#trusted.addSubnet(address, Number(bits), family)
    }
  }

  /** Several servers where one name has several addresses. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#add(socket))
    server.on('request', ({ socket }) => {
      this.asked(socket)
      this.#entries.delete(peerOf(socket))
    })
  }

  /** A request came, an upgrade included. */
  asked(socket: Socket): void {
    this.#entries.get(peerOf(socket))?.release()
  }

  /**
   * Ends them, and those that come until the server listens no more. Connections that became
   * WebSockets are among them: they have to be closed before.
   */
  close(): void {
    this.#isClosing = true
    for (const { socket } of this.#entries.values()) socket.destroy()
  }

  #add(socket: Socket): void {
    const { remoteAddress = '' } = socket
    const address = addressKey(remoteAddress)
    const isTooMany = this.#perAddress.of(address) >= this.#maxPerAddress && !this.#isTrusted(remoteAddress)
    if (this.#isClosing || isTooMany) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    const entry = { socket, release: this.#perAddress.take(address) }
    this.#entries.set(peer, entry)
    socket.once('close', () => {
      entry.release()
      if (this.#entries.get(peer) === entry) this.#entries.delete(peer)
    })
  }

  #isTrusted(address: string): boolean {
    // A mapped IPv4 address is checked as one by Node.
    return isIP(address) !== 0 && this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
