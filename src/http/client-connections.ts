import type { Server } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'
import { addressKey } from '../lib/address-key.ts'
import { Tally } from '../lib/tally.ts'

export interface ClientConnectionsOptions {
  /** Proxies: what comes from them comes from many. Addresses, or networks as ADDRESS/BITS. */
  readonly trusted: readonly string[]
  /** Connections of one address on which nothing was asked yet; those beyond it are cut. */
  readonly maxPerAddress?: number | undefined
  /** Connections of one address that did not become WebSockets, asked or not; those beyond it are cut. */
  readonly maxHeldPerAddress?: number | undefined
  /** Called for each that is cut. Must not throw. */
  readonly onCut?: ((reason: 'silent' | 'address') => void) | undefined
}

interface Entry {
  readonly socket: Socket
  /** It does not count among the silent of its address any longer. */
  readonly speak: () => void
  /** It does not count against its address at all any longer. */
  readonly release: () => void
}

/**
 * The connections of a server until they are closed or become WebSockets, which have limits of their own.
 * Those on which nothing was asked yet, browsers open in advance, and attackers many: to Node they are not idle,
 * and closing a server would wait for their first request until it times out. Those that are kept alive between
 * requests cost an attacker a request now and then, and everybody else a place.
 */
export class ClientConnections {
  /** By the peer's address and port: what TLS hands on is not the socket that came. */
  readonly #entries = new Map<string, Entry>()
  readonly #silent = new Set<Entry>()
  readonly #silentPerAddress = new Tally()
  readonly #heldPerAddress = new Tally()
  readonly #trusted = new BlockList()
  readonly #options: ClientConnectionsOptions
  #isClosing = false

  constructor(options: ClientConnectionsOptions) {
    this.#options = options
    for (const entry of options.trusted) {
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
      const entry = this.#entries.get(peerOf(socket))
      if (entry !== undefined) this.#silent.delete(entry)
    })
    server.on('upgrade', ({ socket }) => this.#entries.get(peerOf(socket))?.release())
  }

  /** A request came, an upgrade included. */
  asked(socket: Socket): void {
    this.#entries.get(peerOf(socket))?.speak()
  }

  /**
   * Ends those on which nothing was asked, and those that come until the server listens no more. Connections
   * that became WebSockets are among them: they have to be closed before.
   */
  close(): void {
    this.#isClosing = true
    for (const { socket } of this.#silent) socket.destroy()
  }

  #add(socket: Socket): void {
    const { remoteAddress = '' } = socket
    const address = addressKey(remoteAddress)
    const tooMany = this.#isTrusted(remoteAddress) ? undefined : this.#tooMany(address)
    if (tooMany !== undefined) this.#options.onCut?.(tooMany)
    if (this.#isClosing || tooMany !== undefined) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    const entry = {
      socket,
      speak: this.#silentPerAddress.take(address),
      release: this.#heldPerAddress.take(address),
    }
    this.#entries.set(peer, entry)
    this.#silent.add(entry)
    socket.once('close', () => {
      entry.speak()
      entry.release()
      this.#silent.delete(entry)
      if (this.#entries.get(peer) === entry) this.#entries.delete(peer)
    })
  }

  #tooMany(address: string): 'silent' | 'address' | undefined {
    const { maxPerAddress = Infinity, maxHeldPerAddress = Infinity } = this.#options
    if (this.#silentPerAddress.of(address) >= maxPerAddress) return 'silent'
    return this.#heldPerAddress.of(address) >= maxHeldPerAddress ? 'address' : undefined
  }

  #isTrusted(address: string): boolean {
    // A mapped IPv4 address is checked as one by Node.
    return isIP(address) !== 0 && this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
