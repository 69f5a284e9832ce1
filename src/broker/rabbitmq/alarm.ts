import type { Log } from '../../telemetry/log.ts'
import type { RabbitMqCounters } from './rabbitmq-settings.ts'

export interface AlarmOptions {
  readonly log: Log
  readonly counters: Pick<RabbitMqCounters, 'alarms'>
  /** Called after each change. */
  onChange(): void
}

/**
 * Whether RabbitMQ takes messages, as far as the publisher's connection has been told: under a memory or
 * disk alarm it stops reading those who publish, whatever else they send, and reads all others on.
 */
export class Alarm {
  readonly #options: AlarmOptions
  readonly #listeners = new Set<() => void>()
  #reason: string | undefined
  #beganAt = 0

  constructor(options: AlarmOptions) {
    this.#options = options
  }

  get isOn(): boolean {
    return this.#reason !== undefined
  }

  /** What RabbitMQ says of it: `low on memory`, `low on disk`. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** RabbitMQ has said that it blocks this node. */
  begin(reason: string): void {
    if (this.#reason === undefined) {
      this.#options.counters.alarms += 1
      this.#beganAt = performance.now()
      this.#options.log.warn(
        { event: 'broker-alarm', reason },
        'RabbitMQ takes no messages: publishers wait, subscribers go on',
      )
    }
    this.#reason = reason
    this.#options.onChange()
  }

  /** RabbitMQ has said that it is over, or can say nothing any more. */
  end(isKnown: boolean): void {
    if (this.#reason === undefined) return
    const reason = this.#reason
    this.#reason = undefined
    if (isKnown) {
      const lastedMs = Math.round(performance.now() - this.#beganAt)
      this.#options.log.info(
        { event: 'broker-alarm-over', reason, lastedMs },
        'RabbitMQ takes messages again',
      )
    }
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const listener of listeners) listener()
    this.#options.onChange()
  }

  /** Calls the listener once, at the end of the present alarm; returns the function that removes it. */
  onEnd(listener: () => void): () => void {
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }
}
