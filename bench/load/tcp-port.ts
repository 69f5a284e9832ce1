import type { Server } from 'node:net'

/** @throws Error where the server does not listen on a TCP port */
export function tcpPort(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a TCP port')
  return address.port
}
