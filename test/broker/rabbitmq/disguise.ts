import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Disguise {
  readonly port: number
  /** What the broker is made to say; each pair of equal length. Counts for connections to come. */
  words: readonly (readonly [from: string, to: string])[]
  /** Ends all connections. */
  cut(): void
}

/**
 * A port that leads to a real broker and changes words of the first thing it says: for what it does about
 * versions that are not installed here. It shows what the relay makes of their names, not what they do.
 */
export async function useDisguise(t: Teardown, targetPort: number): Promise<Disguise> {
  const sockets = new Set<Socket>()
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    near.pipe(far)
    far.once('data', (first) => {
      near.write(disguised(first, disguise.words))
      far.pipe(near)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    cut()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  const disguise: Disguise = { port, words: [], cut }
  return disguise
}

function disguised(bytes: Buffer, words: Disguise['words']): Buffer {
  let text = bytes.toString('latin1')
  for (const [from, to] of words) {
    if (from.length !== to.length || !text.includes(from)) throw new Error(`${from} cannot become ${to}`)
    text = text.replace(from, to)
  }
  return Buffer.from(text, 'latin1')
}
