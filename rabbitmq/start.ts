import { once } from 'node:events'
import process from 'node:process'
import { startPrivateNode } from './private-node.ts'

// `npm run rabbitmq`: a RabbitMQ to try the relay with, gone again after Ctrl-C.
process.stdout.write('Starting a private RabbitMQ …\n')
// The node does not keep this process alive, nor do the signals.
const alive = setInterval(() => undefined, 60_000)
const stopAsked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
try {
  const node = await startPrivateNode({ webStomp: true })
  process.stdout.write(
    [
      'Ready. In another terminal:',
      '',
      `RABBITMQ_STOMP_URL=${node.stompUrl} RABBITMQ_AMQP_URL=${node.amqpUrl} npm start`,
      '',
      `Web STOMP: ws://127.0.0.1:${node.webStompPort}/ws. Ctrl-C stops it and removes its data.`,
      '',
    ].join('\n'),
  )
  await stopAsked
  await node.stop()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  clearInterval(alive)
}
