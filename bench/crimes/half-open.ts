import { connect } from 'node:net'
import { stompText } from '../load/client-plan.ts'
import type { Crime } from './crime.ts'
import type { Scene } from './scene.ts'

const SOCKETS = 500
const AT_ONCE = 16
/** Sessions of one user are bounded. */
const SESSIONS_A_PERSON = 15

/** Sockets that say nothing, or stop in the middle: of the request, before CONNECT, in CONNECT, in a SEND. */
export const halfOpen: Crime = {
  name: 'half-open',
  role: 'service',
  async commit(scene) {
    let opened = 0
    const lanes = Array.from({ length: AT_ONCE }, async () =>
      scene.repeat(async () => {
        if (opened >= SOCKETS) return scene.wait()
        const index = opened++
        await KINDS[index % KINDS.length]!(scene, Math.floor(index / KINDS.length))
      }),
    )
    await Promise.all(lanes)
  },
}

const KINDS: readonly ((scene: Scene, index: number) => Promise<void>)[] = [
  async (scene) => halfOpenSocket(scene, { text: '' }),
  async (scene) =>
    halfOpenSocket(scene, { text: `GET ${scene.endpoint.path} HTTP/1.1\r\nHost: relay\r\nUpgr` }),
  async (scene) => halfOpenWebSocket(scene, { text: '' }),
  async (scene) => halfOpenWebSocket(scene, { text: 'CONNECT\naccept-ver' }),
  async (scene, index) => {
    const client = await scene.connect(Math.floor(index / SESSIONS_A_PERSON))
    client.send(stompText('SEND', ['destination', '/topic/crime']).slice(0, -5))
    scene.count('half a SEND')
  },
]

interface HalfOpen {
  /** What is said before it falls silent. */
  readonly text: string
  /** What it is counted as, where that is not half a request. */
  readonly what?: string
  readonly localAddress?: string
  /** The server has ended it. */
  readonly onCut?: () => void
}

/** Opens a WebSocket that says no more than that. @throws Error where it is refused */
export async function halfOpenWebSocket(scene: Scene, how: HalfOpen): Promise<void> {
  const { text, localAddress, onCut } = how
  try {
    const client = await scene.open(localAddress === undefined ? {} : { localAddress })
    if (text !== '') client.send(text)
    scene.count(text === '' ? 'silent WebSockets' : 'half a CONNECT')
    void client.closed.then(onCut)
  } catch (error) {
    onCut?.()
    throw error
  }
}

/** Opens a socket that says no more than that. Resolves when it is open or refused. */
export async function halfOpenSocket(scene: Scene, how: HalfOpen): Promise<void> {
  const { text, what, localAddress = scene.endpoint.localAddress, onCut } = how
  const { host, port } = scene.endpoint
  await new Promise<void>((resolve) => {
    const from = localAddress === undefined ? {} : { localAddress }
    const socket = connect({ host, port, ...from }, () => {
      if (text !== '') socket.write(text)
      scene.count(what ?? (text === '' ? 'silent sockets' : 'half a request'))
      resolve()
    })
    // Node answers a request that does not come with 408, which would wait for a reader.
    socket.resume()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      resolve()
      onCut?.()
      if (!scene.isOver) scene.count('the connection was cut')
    })
    scene.onEnd(() => socket.destroy())
  })
}
