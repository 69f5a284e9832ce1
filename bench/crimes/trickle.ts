import { connect } from 'node:net'
import { stompText } from '../load/client-plan.ts'
import { clientFrame } from '../load/ws-frame.ts'
import type { Crime } from './crime.ts'
import type { Scene } from './scene.ts'

const SENDERS = 300
const BYTE_EVERY_MS = 1000
const SESSIONS_A_PERSON = 15

/** Requests, CONNECTs and SENDs that come one byte a second, of which none is ever whole. */
export const trickle: Crime = {
  name: 'trickle',
  role: 'service',
  async commit(scene) {
    let begun = 0
    await scene.repeat(async () => {
      if (begun >= SENDERS) return scene.wait()
      const index = begun++
      const act = KINDS[index % KINDS.length]!
      await act(scene, Math.floor(index / KINDS.length))
    })
  },
}

const KINDS: readonly ((scene: Scene, index: number) => Promise<void>)[] = [
  async (scene) => {
    const { host, port, localAddress } = scene.endpoint
    const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) })
    socket.on('error', () => undefined).resume()
    const text = Buffer.from(`POST / HTTP/1.1\r\nHost: relay\r\nx: ${'x'.repeat(10_000)}`)
    const stop = dripping(text, (byte) => void (socket.writable && socket.write(byte)))
    socket.once('close', () => {
      stop()
      if (!scene.isOver) scene.count('requests cut')
    })
    scene.onEnd(() => socket.destroy())
    scene.count('requests begun')
    await Promise.resolve()
  },
  async (scene) => {
    const client = await scene.open()
    const frame = clientFrame(Buffer.from(stompText('CONNECT', ['x', 'x'.repeat(10_000)])))
    const stop = dripping(frame, (byte) => client.sendFrames([byte]))
    void client.closed.then(stop)
    scene.count('CONNECTs begun')
  },
  async (scene, index) => {
    const client = await scene.connect(Math.floor(index / SESSIONS_A_PERSON))
    const body = 'x'.repeat(10_000)
    const frame = clientFrame(Buffer.from(stompText('SEND', ['destination', '/topic/crime'], body)))
    const stop = dripping(frame, (byte) => client.sendFrames([byte]))
    void client.closed.then(stop)
    scene.count('SENDs begun')
  },
]

/** Writes a byte now and one a second from now on. */
function dripping(bytes: Buffer, write: (byte: Buffer) => void): () => void {
  let at = 0
  const drip = (): void => {
    if (at < bytes.length) write(bytes.subarray(at, ++at))
  }
  drip()
  const timer = setInterval(drip, BYTE_EVERY_MS)
  return () => clearInterval(timer)
}
