import type { Page, PresentPage, PresentRow, SessionFilter, SessionRow, Store } from '../store/store.ts'
import type { NodeStatusRow } from '../store/store.ts'
import type { Attendance } from './attendance.ts'

/** Who is connected and where, over all nodes. What happened on this node before the question is in the answer. */
export class PresenceReader {
  readonly #store: Pick<Store, 'presence'>
  readonly #attendance: Pick<Attendance, 'settled'>

  constructor(parts: { store: Pick<Store, 'presence'>; attendance: Pick<Attendance, 'settled'> }) {
    this.#store = parts.store
    this.#attendance = parts.attendance
  }

  /** Those in a room, or with null those connected. @throws MessageError `store-unavailable`, as all of these */
  async present(room: string | null, page: PresentPage): Promise<readonly PresentRow[]> {
    await this.#attendance.settled()
    return this.#store.presence.present(room, page)
  }

  async countPresent(room: string | null): Promise<number> {
    await this.#attendance.settled()
    return this.#store.presence.countPresent(room)
  }

  async sessions(filter: SessionFilter, page: Page): Promise<readonly SessionRow[]> {
    await this.#attendance.settled()
    return this.#store.presence.sessions(filter, page)
  }

  async findSession(id: string): Promise<SessionRow | null> {
    await this.#attendance.settled()
    return this.#store.presence.findSession(id)
  }

  async nodes(): Promise<readonly NodeStatusRow[]> {
    await this.#attendance.settled()
    return this.#store.presence.nodes()
  }
}
