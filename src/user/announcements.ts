import type { OnlinePresence, RoomPresence } from '../../protocol/payload/presence.ts'
import type { Broker } from '../broker/broker.ts'
import { MessageError } from '../errors.ts'
import type { Presence } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'

const HEADERS = ['content-type', 'application/json']

/** What the broker has not taken yet. Beyond it nothing more is told. */
const MAX_UNDER_WAY = 1000

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
  #underWay = 0

  constructor(parts: { broker: Pick<Broker, 'publish'>; log: Pick<Log, 'warn'> }) {
    this.#broker = parts.broker
    this.#log = parts.log
  }

  /** Resolves when all of it is told or lost; who writes to the store need not wait for it. Never rejects. */
  tell({ came = [], went = [], at }: Announced): Promise<void> {
    return this.#count([
      ...came.map((presence) => this.#tellOne(presence, true, at)),
      ...went.map((presence) => this.#tellOne(presence, false, at)),
    ])
  }

  async #tellOne(presence: Presence, isThere: boolean, at: string): Promise<void> {
    if (this.#underWay >= MAX_UNDER_WAY) {
      throw new MessageError('too-many-pending', 'too many announcements are waiting')
    }
    this.#underWay += 1
    try {
      await this.#publish(presence, isThere, at)
    } finally {
      this.#underWay -= 1
    }
  }

  async #publish({ user, room }: Presence, isThere: boolean, at: string): Promise<void> {
    // Who is in a room may be for its members alone: no wildcard brings it, be the room public or not.
    const [address, payload] =
      room === null
        ? ([{ kind: 'topic', topic: 'presence' }, onlineEvent(user, isThere, at)] as const)
        : ([
            { kind: 'private', topic: `rooms.${room}.presence` },
            roomEvent({ user, room }, isThere, at),
          ] as const)
    await this.#broker.publish(
      {
        address,
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
