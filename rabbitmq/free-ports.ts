import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below 32768, where Linux begins to hand out ports to outgoing connections: those would take ours
// while the server that wants it restarts.
const LOWEST = 20_000
const HIGHEST = 32_000
const TRIES = 200

/**
 * Ports of 127.0.0.1 that nothing listens on right now, all different.
 *
 * @throws Error where too many are taken
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let i = 0; i < TRIES && ports.size < count; i++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  if (ports.size < count) throw new Error(`no ${count} free ports between ${LOWEST} and ${HIGHEST}`)
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
