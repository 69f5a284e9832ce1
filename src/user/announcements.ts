import type { OnlinePresence, RoomPresence } from '../../protocol/payload/presence.ts'
import type { Broker } from '../broker/broker.ts'
import type { Presence } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'

const HEADERS = ['content-type', 'application/json']

/** What is told of somebody. */
export interface Announced {
  readonly came?: readonly Presence[]
  readonly went?: readonly Presence[]
  /** When it happened. */
  readonly at: string
}

/**
 * Tells who came and who went, on `/topic/presence` and `/topic/rooms.{room}.presence`. It is not stored:
 * what the broker does not take within its bound is lost, and whoever asks anew is told the truth.
 */
export class Announcements {
  readonly counters = { announced: 0, unannounced: 0 }
  readonly #broker: Pick<Broker, 'publish'>
  readonly #log: Pick<Log, 'warn'>

  constructor(parts: { broker: Pick<Broker, 'publish'>; log: Pick<Log, 'warn'> }) {
    this.#broker = parts.broker
    this.#log = parts.log
  }

  /** Returns at once: the store must not wait for the broker. */
  tell({ came = [], went = [], at }: Announced): void {
    const told = [
      ...came.map((presence) => this.#publish(presence, true, at)),
      ...went.map((presence) => this.#publish(presence, false, at)),
    ]
    void this.#count(told)
  }

  async #publish({ user, room }: Presence, isThere: boolean, at: string): Promise<void> {
    const [topic, payload] =
      room === null
        ? (['presence', onlineEvent(user, isThere, at)] as const)
        : ([`rooms.${room}.presence`, roomEvent({ user, room }, isThere, at)] as const)
    await this.#broker.publish(
      {
        address: { kind: 'topic', topic },
        headers: HEADERS,
        body: Buffer.from(JSON.stringify(payload)),
        persistent: false,
      },
      { patient: true },
    )
  }

  async #count(told: readonly Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(told)
    const failures = results.filter((result) => result.status === 'rejected')
    this.counters.announced += results.length - failures.length
    this.counters.unannounced += failures.length
    const [failure] = failures
    if (failure === undefined) return
    const fields = { event: 'presence-untold', count: failures.length, err: failure.reason as unknown }
    this.#log.warn(fields, 'who came and went could not be told')
  }
}

function onlineEvent(user: string, isThere: boolean, at: string): OnlinePresence {
  return { type: isThere ? 'ONLINE' : 'OFFLINE', user, at }
}

function roomEvent(where: { user: string; room: string }, isThere: boolean, at: string): RoomPresence {
  return { type: isThere ? 'JOINED' : 'LEFT', ...where, at }
}
