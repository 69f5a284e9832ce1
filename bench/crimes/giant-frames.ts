import { stompText } from '../load/client-plan.ts'
import { clientFrame } from '../load/ws-frame.ts'
import type { Crime } from './crime.ts'
import { pour } from './pour.ts'
import type { Scene } from './scene.ts'

/** `LIMIT_FRAME_BYTES` as it comes. */
const LIMIT_BYTES = 65_536
const FRAMES_AT_ONCE = 8

const HEAD = stompText('SEND', ['destination', '/topic/crime.giant'])
const AT_THE_LIMIT = stompText(
  'SEND',
  ['destination', '/topic/crime.giant'],
  'x'.repeat(LIMIT_BYTES - HEAD.length),
)

/** What is just not too large, as fast as the socket takes it, and beside it what is: by a byte, and far. */
export const giantFrames: Crime = {
  name: 'giant-frames',
  role: 'service',
  async commit(scene) {
    await Promise.all([atTheLimit(scene), beyond(scene, LIMIT_BYTES + 1), beyond(scene, LIMIT_BYTES * 64)])
  },
}

async function atTheLimit(scene: Scene): Promise<void> {
  const frame = clientFrame(Buffer.from(AT_THE_LIMIT))
  const frames = Array.from({ length: FRAMES_AT_ONCE }, () => frame)
  await scene.repeat(async () => {
    const client = await scene.connect()
    await pour(scene, client, () => {
      scene.count('SENDs at the limit', FRAMES_AT_ONCE)
      return frames
    })
  })
}

async function beyond(scene: Scene, bytes: number): Promise<void> {
  const body = 'x'.repeat(bytes - HEAD.length)
  const frame = clientFrame(Buffer.from(stompText('SEND', ['destination', '/topic/crime.giant'], body)))
  await scene.repeat(async () => {
    const client = await scene.connect()
    scene.count('SENDs beyond the limit')
    client.sendFrames([frame])
    await client.closed
  })
}
