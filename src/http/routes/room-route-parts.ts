import type { RoomParts } from '../../app/rooms/room-parts.ts'
import type { Authenticator } from '../../auth/authenticator.ts'

/** What the routes of rooms are made with. */
export interface RoomRouteParts extends RoomParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
}
