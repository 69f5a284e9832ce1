import { header, type HeaderList } from '../../protocol/frame.ts'
import type { Participant } from '../../protocol/payload/presence.ts'
import { MessageError } from '../errors.ts'
import type { PresentPage } from '../store/store.ts'
import type { PresenceReader } from '../user/presence-reader.ts'
import type { App } from './app.ts'
import { roomOf } from './chat/room-of.ts'

/** Those of one answer. */
const MAX_PRESENT = 1000

/** `/app/presence` and `/app/rooms/{room}/participants`: who is there, by name. */
export function registerPresence(app: App, presence: Pick<PresenceReader, 'present'>): void {
  const present = async (room: string | null, headers: HeaderList): Promise<readonly Participant[]> =>
    presence.present(room, pageOf(headers))
  app.subscription('/app/presence', { answer: (context) => present(null, context.headers) })
  app.subscription('/app/rooms/{room}/participants', {
    answer: (context) => present(roomOf(context), context.headers),
  })
}

/** `limit` and `after`, the last name one has. */
function pageOf(headers: HeaderList): PresentPage {
  const after = header(headers, 'after')
  const limit = Number(header(headers, 'limit') ?? MAX_PRESENT)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PRESENT) {
    throw new MessageError('invalid-header', `limit must be a whole number from 1 to ${MAX_PRESENT}`)
  }
  return { limit, ...(after !== undefined && { after }) }
}
