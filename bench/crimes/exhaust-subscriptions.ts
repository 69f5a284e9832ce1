import { stompText } from '../load/client-plan.ts'
import type { Crime } from './crime.ts'

const SESSIONS = 100
/** A session may have 100; the rest is refused. */
const TRIED = 150

/** As many subscriptions as a session may have and half as many again, in 100 sessions, all kept. */
export const exhaustSubscriptions: Crime = {
  name: 'exhaust-subscriptions',
  role: 'service',
  async commit(scene) {
    let sessions = 0
    await scene.repeat(async () => {
      if (sessions >= SESSIONS) return scene.wait()
      const session = sessions++
      const client = await scene.connect(session)
      client.send(stompText('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors']))
      scene.count('sessions')
      for (let i = 0; i < TRIED && client.isOpen && !scene.isOver; i++) {
        const destination = `/topic/crime.hoard.${session}.${i}.*`
        client.send(stompText('SUBSCRIBE', ['id', String(i), 'destination', destination]))
        scene.count('SUBSCRIBEs')
      }
      await client.ask(stompText('SEND', ['destination', '/topic/crime', 'receipt', 'RECEIPT']))
    })
  },
}
