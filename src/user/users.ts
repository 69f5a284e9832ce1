import type { Broker } from '../broker/broker.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { Announcements } from './announcements.ts'
import { Attendance } from './attendance.ts'
import { NodeLoad, type FrameTotals } from './node-load.ts'
import type { NodeReport } from './node-report.ts'
import { LoginEnding } from './login-ending.ts'
import { People } from './people.ts'
import { PresenceReader } from './presence-reader.ts'
import { SessionClosing } from './session-closing.ts'
import { SessionRegistry } from './session-registry.ts'

export interface UsersOptions {
  readonly store: Store
  readonly broker: Broker
  readonly log: Log
  readonly nodeId: string
  readonly boot: string
  /** The relay's. */
  readonly version: string
  readonly maxSessionsPerUser: number
  /** What this node has received and sent, for what it reports of its load. */
  readonly frames?: FrameTotals
  /** See `LoginEndingParts.compareMs`. */
  readonly compareMs?: number
}

/** Who is connected, here and elsewhere. */
export class Users {
  readonly registry: SessionRegistry
  readonly presence: PresenceReader
  readonly closing: SessionClosing
  readonly loginEnding: LoginEnding
  readonly #people: People
  readonly #attendance: Attendance
  readonly #announcements: Announcements

  constructor(options: UsersOptions) {
    const { store, broker, version, frames } = options
    const load = frames && new NodeLoad(frames)
    const startedAt = new Date().toISOString()
    const report = (): NodeReport => {
      const { isUp, detail } = broker.status()
      return {
        version,
        startedAt,
        broker: { isUp, detail },
        ...(load !== undefined && { load: load.measure() }),
      }
    }
    const announcements = new Announcements(options)
    const attendance = new Attendance({ ...options, announcements, report })
    this.#people = new People(options)
    this.registry = new SessionRegistry({
      maxPerUser: options.maxSessionsPerUser,
      observer: attendance,
      onUser: (name) => this.#people.seen(name),
    })
    this.presence = new PresenceReader({ store, attendance })
    this.closing = new SessionClosing({ registry: this.registry, presence: this.presence, broker })
    this.loginEnding = new LoginEnding({ ...options, registry: this.registry })
    this.#attendance = attendance
    this.#announcements = announcements
  }

  /** What was written of sessions, and what was told of them. */
  get counters(): {
    readonly presence: object
    readonly announcements: object
    readonly people: object
  } {
    return {
      people: this.#people.counters,
      presence: this.#attendance.counters,
      announcements: this.#announcements.counters,
    }
  }

  /** @throws MessageError `store-unavailable` */
  async start(): Promise<void> {
    await this.#attendance.start()
    this.#people.start()
    this.loginEnding.start()
  }

  /** Once no session is left. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.closing.stop()
    await this.loginEnding.close()
    await this.#people.close()
    await this.#attendance.close()
  }
}
