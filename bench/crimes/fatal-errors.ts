import { stompText } from '../load/client-plan.ts'
import type { Crime } from './crime.ts'
import type { CrimeClient } from './crime-client.ts'

/** A client that the server does not close within this time has got away with it. */
const PATIENCE_MS = 20_000

const MISDEEDS: readonly ((client: CrimeClient) => Promise<void> | void)[] = [
  (client) => client.send(stompText('SUBSCRIBE', ['id', 'x', 'destination', '/exchange/missing/key'])),
  (client) => client.send(stompText('SEND', ['destination', '/exchange/missing/key', 'receipt', '1'], 'x')),
  ackTwice,
  (client) => client.send('SEND\nno colon\n\n\0'),
  (client) => client.send(stompText('SEND', ['destination', '/topic/x', 'content-length', 'many'])),
  (client) => client.send(stompText('STEAL', ['destination', '/topic/x'])),
  (client) => client.send(stompText('UNSUBSCRIBE', ['id', 'never'])),
  (client) => client.send(stompText('COMMIT', ['transaction', 'never'])),
  (client) => client.send(stompText('CONNECT', ['accept-version', '1.2'])),
  (client) => client.send(stompText('SEND', ['destination', '/nowhere/x'])),
]

/** What ends a session, here or at the broker, one after the other, and back at once. */
export const fatalErrors: Crime = {
  name: 'fatal-errors',
  role: 'service',
  async commit(scene) {
    await scene.repeat(async (turn) => {
      const client = await scene.connect()
      scene.count('misdeeds')
      await MISDEEDS[turn % MISDEEDS.length]!(client)
      const giveUp = setTimeout(() => {
        scene.count('NOT CLOSED')
        client.destroy()
      }, PATIENCE_MS)
      await client.closed
      clearTimeout(giveUp)
    })
  },
}

async function ackTwice(client: CrimeClient): Promise<void> {
  const destination = '/temp-queue/crime'
  const headers = ['id', 'q', 'destination', '/queue/crime-acks', 'ack', 'client-individual']
  await client.ask(stompText('SUBSCRIBE', [...headers, 'receipt', 'RECEIPT']))
  const message = client.nextMessage()
  client.send(stompText('SEND', ['destination', '/queue/crime-acks', 'reply-to', destination], 'x'))
  const ackId = await message
  client.send(stompText('ACK', ['id', ackId]))
  client.send(stompText('ACK', ['id', ackId]))
}
