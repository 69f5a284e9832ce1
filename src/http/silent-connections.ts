import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Connections on which nothing was asked yet: browsers open some in advance. To Node they are not
 * idle, and closing a server would wait for their first request until it times out.
 */
export class SilentConnections {
  readonly #sockets = new Set<Socket>()
  #isClosing = false

  constructor(server: Server) {
    server.on('connection', (socket) => this.#add(socket))
    server.on('request', ({ socket }) => this.#sockets.delete(socket))
  }

  /**
   * Ends them, and those that come until the server listens no more. Connections that became
   * WebSockets asked for nothing else: they have to be closed before.
   */
  close(): void {
    this.#isClosing = true
    for (const socket of this.#sockets) socket.destroy()
  }

  #add(socket: Socket): void {
    if (this.#isClosing) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}
