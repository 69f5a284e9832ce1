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
  async (scene) => rawSocket(scene, ''),
  async (scene) => rawSocket(scene, `GET ${scene.endpoint.path} HTTP/1.1\r\nHost: relay\r\nUpgr`),
  async (scene) => {
    await scene.open()
    scene.count('silent WebSockets')
  },
  async (scene) => {
    const client = await scene.open()
    client.send('CONNECT\naccept-ver')
    scene.count('half a CONNECT')
  },
  async (scene, index) => {
    const client = await scene.connect(Math.floor(index / SESSIONS_A_PERSON))
    client.send(stompText('SEND', ['destination', '/topic/crime']).slice(0, -5))
    scene.count('half a SEND')
  },
]

async function rawSocket(scene: Scene, text: string): Promise<void> {
  const { host, port } = scene.endpoint
  await new Promise<void>((resolve) => {
    const socket = connect({ host, port }, () => {
      if (text !== '') socket.write(text)
      scene.count(text === '' ? 'silent sockets' : 'half a request')
      resolve()
    })
    // Node answers a request that does not come with 408, which would wait for a reader.
    socket.resume()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      resolve()
      if (!scene.isOver) scene.count('the connection was cut')
    })
    scene.onEnd(() => socket.destroy())
  })
}
