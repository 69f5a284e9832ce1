import type { Log } from '../../telemetry/log.ts'
import type { AmqpConnection } from './amqp-connection.ts'
import type { QueueShape } from './queue-shape.ts'
import { limitsOf } from './server-limits.ts'
import { readServer, type Server } from './server-version.ts'

/**
 * Keeps what the broker says it is, and says once what cannot be done with it: again only where it turns out
 * to be another one after a reconnect.
 */
export class ServerReport {
  readonly #log: Log
  readonly #queues = new Map<string, string>()
  #server: Server | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** The last one that was reached. */
  get server(): Server | undefined {
    return this.#server
  }

  onConnection(connection: AmqpConnection): void {
    const server = readServer(connection.serverProperties)
    const { product, version } = server
    const isKnown = product === this.#server?.product && version === this.#server.version
    this.#server = server
    if (isKnown) return
    this.#log.info({ event: 'broker-version', product, version }, 'the broker has said what it is')
    for (const { event, isUnknown, says } of limitsOf(server)) {
      this.#log[isUnknown ? 'warn' : 'info']({ event, product, version }, says)
    }
  }

  /** What kind of queue one turned out to be that outside services publish to. */
  onQueue(queue: string, { type, isAsDeclared }: QueueShape): void {
    const shape = `${type} ${String(isAsDeclared)}`
    if (this.#queues.get(queue) === shape) return
    this.#queues.set(queue, shape)
    if (!isAsDeclared) {
      this.#log.warn(
        { event: 'broker-queue-differs', queue, type },
        `the queue is taken as it is; RabbitMQ cuts off who sends to /queue/${queue}: /amq/queue/${queue} works`,
      )
    } else if (type !== 'classic') {
      this.#log.info({ event: 'broker-queue-type', queue, type }, 'the queue is not a classic one')
    }
  }
}
