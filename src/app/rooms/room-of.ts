import { isName } from '../../../protocol/destination.ts'
import { MessageError } from '../../errors.ts'
import type { AppContext } from '../app.ts'

/** The `{room}` of a destination. @throws MessageError `invalid-destination` where that cannot be a room */
export function roomOf({ params }: Pick<AppContext, 'params'>): string {
  const room = params['room']
  if (room === undefined || !isName(room)) {
    throw new MessageError('invalid-destination', 'a room name is 1 to 64 of A-Z a-z 0-9 _ -')
  }
  return room
}
