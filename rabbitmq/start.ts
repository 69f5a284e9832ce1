import { once } from 'node:events'
import process from 'node:process'
import { startPrivateCluster } from './private-cluster.ts'
import { type BrokerUrls, startPrivateNode } from './private-node.ts'

// `npm run rabbitmq`: a RabbitMQ to try the relay with, gone again after Ctrl-C. With `-- --cluster`, three of it.

interface Tryout {
  readonly urls: BrokerUrls
  /** For those who start it. */
  readonly notes: readonly string[]
  readonly stop: () => Promise<void>
}

async function startNode(): Promise<Tryout> {
  const node = await startPrivateNode({ webStomp: true })
  return {
    urls: node,
    notes: [`Web STOMP: ws://127.0.0.1:${node.webStompPort}/ws. Ctrl-C stops it and removes its data.`],
    stop: () => node.stop(),
  }
}

async function startCluster(): Promise<Tryout> {
  const cluster = await startPrivateCluster({ webStomp: true })
  return {
    urls: cluster.urls(),
    notes: [
      ...cluster.nodes.map((node) => `${node.name}: process ${node.pid}, AMQP port ${node.amqpPort}`),
      '',
      'To see what the relay does without one: kill -STOP PID (-CONT goes on), kill -9 PID (it stays away).',
      'Ctrl-C stops them and removes their data.',
    ],
    stop: () => cluster.stop(),
  }
}

// The nodes do not keep this process alive, nor do the signals.
const alive = setInterval(() => undefined, 60_000)
const stopAsked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
try {
  const isCluster = process.argv.includes('--cluster')
  process.stdout.write(isCluster ? 'Starting a cluster of three …\n' : 'Starting a private RabbitMQ …\n')
  const { urls, notes, stop } = await (isCluster ? startCluster() : startNode())
  const { stompUrl, amqpUrl } = urls
  const command = `RABBITMQ_STOMP_URL=${stompUrl} RABBITMQ_AMQP_URL=${amqpUrl} npm start`
  process.stdout.write(['Ready. In another terminal:', '', command, '', ...notes, ''].join('\n'))
  await stopAsked
  await stop()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  clearInterval(alive)
}
