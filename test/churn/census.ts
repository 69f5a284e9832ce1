import { readdir } from 'node:fs/promises'
import { ChildChannel } from '../../bench/child-channel.ts'
import { siblingModule } from '../../bench/sibling-module.ts'
import { metric } from '../support/until.ts'
import type { TestRabbitMq } from '../support/rabbitmq.ts'
import type { FromChurnRelay, ToChurnRelay } from './churn-messages.ts'

/** What there is at one moment, by name. */
export type Census = Readonly<Record<string, number>>

const CENSUS_MS = 60_000

/** A relay in a process of its own, and what it and its RabbitMQ hold. */
export class CountedRelay {
  readonly address: string
  readonly #channel: ChildChannel<ToChurnRelay, FromChurnRelay>
  readonly #rabbit: TestRabbitMq

  private constructor(parts: {
    readonly address: string
    readonly channel: ChildChannel<ToChurnRelay, FromChurnRelay>
    readonly rabbit: TestRabbitMq
  }) {
    this.address = parts.address
    this.#channel = parts.channel
    this.#rabbit = parts.rabbit
  }

  static async start(
    rabbit: TestRabbitMq,
    settings: Readonly<Record<string, string>>,
  ): Promise<CountedRelay> {
    const channel = ChildChannel.fork<ToChurnRelay, FromChurnRelay>(
      siblingModule(import.meta.url, './churn-relay'),
    )
    channel.send({ type: 'serve', settings })
    const { address } = await channel.next('listening')
    return new CountedRelay({ address, channel, rabbit })
  }

  async stop(): Promise<void> {
    await this.#channel.stop()
  }

  /** All but the heap, which is only as large as it was when all else is as it was. */
  async census(): Promise<Census> {
    const { vhost } = this.#rabbit
    // First, so that the connection it is asked over is among the files each time.
    const sessions = await metric(this.address, 'stomp_relay_sessions')
    const [queues, bindings, amqp, stomp, files] = await Promise.all([
      this.#rows('list_queues', '-p', vhost, 'name'),
      this.#rows('list_bindings', '-p', vhost, 'source_name', 'destination_name', 'routing_key'),
      this.#rows('list_connections', 'pid'),
      this.#rows('list_stomp_connections', 'session_id', 'conn_name'),
      readdir(`/proc/${this.#channel.pid}/fd`),
    ])
    return {
      'RabbitMQ queues': queues.length,
      'RabbitMQ bindings': bindings.length,
      'RabbitMQ connections, AMQP': amqp.length,
      'RabbitMQ connections, STOMP': stomp.length,
      'relay file handles': files.length,
      'relay sessions': sessions,
      ...(await this.#resources()),
    }
  }

  async heapBytes(): Promise<number> {
    this.#channel.send({ type: 'census' })
    return (await this.#channel.next('census', CENSUS_MS)).heapBytes
  }

  async #resources(): Promise<Census> {
    this.#channel.send({ type: 'census' })
    const { resources } = await this.#channel.next('census', CENSUS_MS)
    const named = Object.entries(resources).map(([name, count]) => [`relay ${name}`, count] as const)
    // Immediates come and go with the asking.
    return Object.fromEntries(named.filter(([name]) => !/Immediate|FSReq/.test(name)))
  }

  async #rows(...args: string[]): Promise<readonly string[]> {
    return (await this.#rabbit.ctl(...args))
      .split('\n')
      .slice(1)
      .filter((line) => line.trim() !== '')
  }
}
