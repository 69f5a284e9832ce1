import { stompText } from '../load/client-plan.ts'
import { clientFrame } from '../load/ws-frame.ts'
import type { CrimeClient } from './crime-client.ts'
import type { Crime } from './crime.ts'
import { pour } from './pour.ts'
import type { Scene } from './scene.ts'

const FRAMES_AT_ONCE = 256
const CONNECTS_AT_ONCE = 16

/** SENDs to a topic, as fast as the socket takes them. */
export const floodTopic: Crime = {
  name: 'flood-topic',
  role: 'service',
  commit: async (scene) => flood(scene, ['destination', '/topic/crime.flood'], 'x'.repeat(64)),
}

/** SENDs to the application, each to be stored, by one who may not send that many. */
export const floodApp: Crime = {
  name: 'flood-app',
  role: 'user',
  async commit(scene) {
    const headers = ['destination', '/app/rooms/crime/messages', 'content-type', 'application/json']
    const listens = stompText('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
    await flood(scene, headers, JSON.stringify({ content: 'x'.repeat(64) }), (client) => client.send(listens))
  },
}

async function flood(
  scene: Scene,
  headers: readonly string[],
  body: string,
  begin: (client: CrimeClient) => void = () => undefined,
): Promise<void> {
  const frame = clientFrame(Buffer.from(stompText('SEND', headers, body)))
  const frames = Array.from({ length: FRAMES_AT_ONCE }, () => frame)
  await scene.repeat(async () => {
    const client = await scene.connect()
    begin(client)
    await pour(scene, client, () => {
      scene.count('SENDs', FRAMES_AT_ONCE)
      return frames
    })
  })
}

/** SUBSCRIBE and UNSUBSCRIBE, each to another topic, without waiting for any answer. */
export const floodSubscribe: Crime = {
  name: 'flood-subscribe',
  role: 'service',
  async commit(scene) {
    let topics = 0
    await scene.repeat(async () => {
      const client = await scene.connect()
      await pour(scene, client, () => {
        scene.count('SUBSCRIBEs', FRAMES_AT_ONCE / 2)
        const pairs = Array.from({ length: FRAMES_AT_ONCE / 2 }, () => {
          const destination = `/topic/crime.many.${++topics}.*`
          return [
            clientFrame(Buffer.from(stompText('SUBSCRIBE', ['id', 's', 'destination', destination]))),
            clientFrame(Buffer.from(stompText('UNSUBSCRIBE', ['id', 's']))),
          ]
        })
        return pairs.flat()
      })
    })
  },
}

/** Connections as fast as they are taken, with a token that is none. */
export const floodConnect: Crime = {
  name: 'flood-connect',
  role: 'user',
  async commit(scene) {
    const lanes = Array.from({ length: CONNECTS_AT_ONCE }, async () =>
      scene.repeat(async () => {
        scene.count('attempts')
        const client = await scene.open()
        await client.connect(['Authorization', 'Bearer of.no.good'])
      }),
    )
    await Promise.all(lanes)
  },
}
