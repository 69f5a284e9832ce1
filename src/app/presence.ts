import { header, type HeaderList } from '../../protocol/frame.ts'
import type { Participant } from '../../protocol/payload/presence.ts'
import type { RoomSight } from '../auth/room-sight.ts'
import { MessageError } from '../errors.ts'
import type { PresentPage } from '../store/store.ts'
import type { PresenceReader } from '../user/presence-reader.ts'
import type { App, AppContext } from './app.ts'
import { notYours } from './rooms/room-access.ts'
import { roomOf } from './rooms/room-of.ts'

/** Those of one answer. */
const MAX_PRESENT = 1000

export interface PresenceParts {
  readonly presence: Pick<PresenceReader, 'present'>
  readonly sight: Pick<RoomSight, 'see'>
}

/** `/app/presence` and `/app/rooms/{room}/participants`: who is there, by name. */
export function registerPresence(app: App, parts: PresenceParts): void {
  const { presence } = parts
  app.subscription('/app/presence', {
    answer: async ({ headers }): Promise<readonly Participant[]> => presence.present(null, pageOf(headers)),
  })
  app.subscription('/app/rooms/{room}/participants', {
    answer: async (context) => participants(parts, context),
  })
}

async function participants(
  { presence, sight }: PresenceParts,
  context: AppContext,
): Promise<readonly Participant[]> {
  const room = roomOf(context)
  const present = await presence.present(room, pageOf(context.headers))
  // Asked afterwards: of a private room of others nothing is told, be it private since a moment ago.
  if ((await sight.see(context.principal.name, room)).kind === 'hidden') throw notYours(room)
  return present
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
