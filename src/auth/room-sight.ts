import type { RoomMemberRow, RoomRow } from '../store/rooms.ts'
import type { Store } from '../store/store.ts'

/** Public rooms that are remembered. */
const MAX_REMEMBERED = 10_000

/**
 * What a room is to a user. `absent` is one that nobody made yet: it is everybody's, as the first message would
 * make it a public one. `hidden` is a private one of others.
 */
export type Sight =
  | { readonly kind: 'public'; readonly room?: RoomRow }
  | { readonly kind: 'absent' }
  | { readonly kind: 'hidden' }
  | { readonly kind: 'member'; readonly room: RoomRow; readonly role: RoomMemberRow['role'] }

/** Who may see which room. Rooms that are public stay it: those are asked for once. */
export class RoomSight {
  readonly #store: Pick<Store, 'rooms' | 'epoch'>
  readonly #public = new Set<string>()
  #epoch = ''

  constructor(store: Pick<Store, 'rooms' | 'epoch'>) {
    this.#store = store
  }

  /** Whether it is known to be public. Where it is not known, it has to be asked. */
  isPublic(room: string): boolean {
    return this.#epoch === this.#store.epoch && this.#public.has(room)
  }

  /** What is stored says so. */
  notePublic(room: string): void {
    // Of another database nothing is known.
    if (this.#epoch !== this.#store.epoch || this.#public.size >= MAX_REMEMBERED) this.#public.clear()
    this.#epoch = this.#store.epoch
    this.#public.add(room)
  }

  /** @throws MessageError `store-unavailable` */
  async see(user: string, room: string): Promise<Sight> {
    return this.isPublic(room) ? { kind: 'public' } : this.#ask(user, room)
  }

  async #ask(user: string, room: string): Promise<Sight> {
    const found = await this.#store.rooms.sight(room, user)
    if (found === null) return { kind: 'absent' }
    if (found.room.visibility === 'public') {
      this.notePublic(room)
      return { kind: 'public', room: found.room }
    }
    const { room: row, member } = found
    return member === null ? { kind: 'hidden' } : { kind: 'member', room: row, role: member.role }
  }
}
