import { stompText } from '../load/client-plan.ts'
import { clientFrame } from '../load/ws-frame.ts'
import type { Crime } from './crime.ts'
import type { Scene } from './scene.ts'

const BODY = 'x'.repeat(8192)
const TOPIC = '/topic/crime.busy'
const BACKLOG = '/queue/crime-backlog'
const BACKLOG_MESSAGES = 4000
const TOPIC_EVERY_MS = 4

/** Two that read nothing: of a topic with 2 MB a second, and of a queue with 32 MB in it. */
export const slowConsumer: Crime = {
  name: 'slow-consumer',
  role: 'service',

  async prepare(scene) {
    const client = await scene.connect()
    for (let i = 1; i < BACKLOG_MESSAGES && !scene.isOver; i++) {
      client.send(stompText('SEND', ['destination', BACKLOG], BODY))
      await client.drained()
    }
    await client.ask(stompText('SEND', ['destination', BACKLOG, 'receipt', 'RECEIPT'], BODY))
    client.destroy()
  },

  async commit(scene) {
    await Promise.all([publish(scene), readNothing(scene, TOPIC), readNothing(scene, BACKLOG)])
  },
}

async function publish(scene: Scene): Promise<void> {
  const client = await scene.connect()
  const frame = clientFrame(Buffer.from(stompText('SEND', ['destination', TOPIC], BODY)))
  const timer = setInterval(() => client.sendFrames([frame]), TOPIC_EVERY_MS)
  await Promise.race([scene.wait(), client.closed])
  clearInterval(timer)
}

async function readNothing(scene: Scene, destination: string): Promise<void> {
  await scene.repeat(async () => {
    const client = await scene.connect()
    scene.count(`subscribed to ${destination}`)
    // The answer is among what it does not read.
    client.send(stompText('SUBSCRIBE', ['id', 's', 'destination', destination]))
    client.stopReading()
    await client.closed
  })
}
