import type { RoomTyping } from '../../../protocol/payload/room.ts'
import { MessageError } from '../../errors.ts'
import { notYours } from './room-access.ts'
import { roomAddress } from './room-event.ts'
import type { RoomParts } from './room-parts.ts'

type Parts = Pick<RoomParts, 'sight' | 'broker'>

const HEADERS = ['content-type', 'application/json']

/** Users who type, each in a room, whose last word the broker has not taken. */
const MAX_UNDER_WAY = 10_000

interface UnderWay {
  /** What was said since, if anything. */
  next: boolean | undefined
  /** Resolves when all of it is told, or failed. */
  readonly done: Promise<void>
}

/** Tells rooms who types. Nothing is stored; of what comes faster than it can be told, the latest is told. */
export class TypingTeller {
  readonly #parts: Parts
  readonly #underWay = new Map<string, UnderWay>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Resolves when the broker has it, or something later of the same user.
   *
   * @throws MessageError `forbidden` of a private room of others, `broker-unavailable`, `too-many-pending`
   */
  tell(user: string, room: string, isTyping: boolean): Promise<void> {
    const key = `${room} ${user}`
    const before = this.#underWay.get(key)
    if (before !== undefined) {
      before.next = isTyping
      return before.done
    }
    if (this.#underWay.size >= MAX_UNDER_WAY) {
      return Promise.reject(new MessageError('too-many-pending', 'too many type'))
    }
    const done = this.#run({ user, room, key }, isTyping)
    this.#underWay.set(key, { next: undefined, done })
    return done
  }

  async #run(who: { user: string; room: string; key: string }, first: boolean): Promise<void> {
    try {
      for (let said: boolean | undefined = first; said !== undefined;) {
        await this.#publish(who, said)
        const entry = this.#underWay.get(who.key)
        said = entry?.next
        if (entry !== undefined) entry.next = undefined
      }
    } finally {
      this.#underWay.delete(who.key)
    }
  }

  async #publish({ user, room }: { user: string; room: string }, typing: boolean): Promise<void> {
    const { sight, broker } = this.#parts
    const { kind } = await sight.see(user, room)
    if (kind === 'hidden') throw notYours(room)
    const payload: RoomTyping = { user, typing }
    await broker.publish({
      // A room that nobody made yet may become a private one: no wildcard hears of it.
      address: roomAddress(room, kind === 'public' ? 'public' : 'private', '.typing'),
      headers: HEADERS,
      body: Buffer.from(JSON.stringify(payload)),
      persistent: false,
    })
  }
}
