import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** A port of 127.0.0.1 that leads to another one, until it is cut, frozen or refused. */
export interface TcpProxy {
  readonly port: number
  /** Connections that were accepted since the start. */
  readonly accepted: number
  /** Those of them on which the other side has said something. */
  readonly answered: number
  /** Ends all connections, at both sides, without a goodbye. New ones are accepted. */
  cut(): void
  /** The same at the moment in which the other side next says something, which nobody hears. */
  cutAtAnswer(): void
  /** Passes nothing on any more, in either direction, and ends nothing. New connections are held alike. */
  freeze(): void
  thaw(): void
  /** Ends new connections at once (and cuts the present ones), or takes them again. */
  refuse(isRefusing: boolean): void
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
}

/** Starts a proxy to `targetPort`; it ends with the test. */
export async function useTcpProxy(t: Teardown, targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let accepted = 0
  let answered = 0
  let isFrozen = false
  let isRefusing = false
  let isAnswerFatal = false

  const cut = (): void => {
    for (const { near, far } of pairs) {
      reset(near)
      reset(far)
    }
    pairs.clear()
  }
  const survives = (): boolean => {
    if (!isAnswerFatal) return true
    isAnswerFatal = false
    cut()
    return false
  }
  // Without noDelay, small acknowledgements would wait 40 ms for each other.
  const server = createServer({ noDelay: true }, (near) => {
    near.on('error', () => undefined)
    if (isRefusing) {
      reset(near)
      return
    }
    accepted += 1
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    const pair = { near, far }
    pairs.add(pair)
    join(near, far)
    join(far, near, survives)
    far.once('data', () => (answered += 1))
    far.on('error', () => undefined)
    near.on('close', () => pairs.delete(pair))
    if (isFrozen) pause(pair)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    cut()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted
    },
    get answered() {
      return answered
    },
    cut,
    cutAtAnswer: () => {
      isAnswerFatal = true
    },
    freeze: () => {
      isFrozen = true
      for (const pair of pairs) pause(pair)
    },
    thaw: () => {
      isFrozen = false
      for (const { near, far } of pairs) {
        near.resume()
        far.resume()
      }
    },
    refuse: (refusing) => {
      isRefusing = refusing
      if (refusing) cut()
    },
  }
}

/** A socket that is being shut down cannot be reset any more: Node would keep its handle for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

function join(from: Socket, to: Socket, survives = () => true): void {
  from.on('data', (chunk) => {
    if (!survives()) return
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('close', () => to.destroy())
}

function pause({ near, far }: Pair): void {
  near.pause()
  far.pause()
}
