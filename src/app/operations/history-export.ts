import { HISTORY_EXPORT } from '../../../protocol/payload/operation.ts'
import { MessageError } from '../../errors.ts'
import type { MessageRow, Store } from '../../store/store.ts'
import { operationKind, type OperationKind } from './operation-kind.ts'

/** Of messages of 8,192 characters they are 0.8 MB, which every database takes as one text. */
const MESSAGES_A_CHUNK = 100

export interface HistoryExportParts {
  readonly store: Pick<Store, 'roomHistory'>
  /** Whether the room is there for this user. */
  readonly maySeeRoom: (user: string, room: string) => Promise<boolean>
}

/** A room's messages as NDJSON, oldest first, up to where they go when it comes to the end. */
export function historyExport({ store, maySeeRoom }: HistoryExportParts): OperationKind {
  return operationKind({
    type: 'history-export',
    hasResult: true,
    params: HISTORY_EXPORT,
    fileName: ({ room }) => `history-${room}.ndjson`,
    async allow(user, { room }) {
      if (!(await maySeeRoom(user, room))) throw new MessageError('not-found', 'there is no such room')
    },
    work: ({ room }) => ({
      count: () => store.roomHistory.count(room),
      async next(checkpoint) {
        const page = { limit: MESSAGES_A_CHUNK, ...(typeof checkpoint === 'string' && { after: checkpoint }) }
        const rows = await store.roomHistory.read(room, page)
        const lines = rows.map((row) => `${JSON.stringify(lineOf(row))}\n`).join('')
        return async () => ({
          events: [],
          done: rows.length,
          checkpoint: rows.at(-1)?.id ?? checkpoint,
          isLast: rows.length < MESSAGES_A_CHUNK,
          ...(lines !== '' && { result: lines }),
        })
      },
    }),
  })
}

/** As in `/topic/rooms.{room}`, but for `clientId`, which is its sender's business. */
function lineOf({ id, room, sender, content, createdAt, replyTo }: MessageRow) {
  return { id, room, sender, content, timestamp: createdAt, ...(replyTo !== null && { replyTo }) }
}
