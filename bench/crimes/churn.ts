import { stompText } from '../load/client-plan.ts'
import type { Crime } from './crime.ts'

const AT_ONCE = 4

/** Connects, subscribes to a topic of its own, to its user queue and every fourth time to a queue, and leaves. */
export const churn: Crime = {
  name: 'churn',
  role: 'service',
  async commit(scene) {
    let topics = 0
    const lanes = Array.from({ length: AT_ONCE }, async (_, lane) =>
      scene.repeat(async (turn) => {
        const client = await scene.connect(lane)
        const destinations = [`/topic/crime.churn.${++topics}`, '/user/queue/orders']
        if (turn % 4 === 0) destinations.push(`/queue/crime-churn-${lane}`)
        for (const [id, destination] of destinations.entries()) {
          await client.ask(
            stompText('SUBSCRIBE', ['id', String(id), 'destination', destination, 'receipt', 'RECEIPT']),
          )
        }
        scene.count('visits')
        if (turn % 2 === 0) {
          client.send(stompText('DISCONNECT', []))
          await client.closed
        } else client.destroy()
      }),
    )
    await Promise.all(lanes)
  },
}
