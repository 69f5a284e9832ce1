import type { StoredEvent, StreamLog } from '../store.ts'
import { guarded } from './failures.ts'
import { portionsOf } from './chunks.ts'
import { parseTexts } from './rows.ts'
import type { StoreConnections } from './store-connections.ts'

const STREAMS_A_STATEMENT = 1000
const EVENTS_A_STATEMENT = 200

export class KyselyStreamLog implements StreamLog {
  readonly #connections: StoreConnections

  constructor(connections: StoreConnections) {
    this.#connections = connections
  }

  async head(stream: string): Promise<number> {
    const heads = await this.heads([stream])
    return heads.get(stream) ?? 0
  }

  heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return guarded(async () => {
      const heads = new Map(streams.map((stream) => [stream, 0]))
      for (const names of portionsOf(streams, STREAMS_A_STATEMENT)) {
        const rows = await this.#connections.reader
          .selectFrom('streams')
          .select(['name', 'head'])
          .where('name', 'in', names)
          .execute()
        for (const { name, head } of rows) heads.set(name, head)
      }
      return heads
    })
  }

  read(stream: string, afterOffset: number, limit: number): Promise<readonly StoredEvent[]> {
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('events')
        .select(['offset', 'headers', 'body', 'created_at'])
        .where('stream', '=', stream)
        .where('offset', '>', afterOffset)
        .orderBy('offset')
        .limit(limit)
        .execute()
      return rows.map(({ offset, headers, body, created_at }) => ({
        offset,
        headers: parseTexts(headers),
        body,
        createdAt: created_at,
      }))
    })
  }

  /**
   * Expiry never falls along a stream (`StreamTable`), so that expired events in the order of expiry and
   * offset are a beginning of each stream.
   */
  trim(nowIso: string, limit: number): Promise<number> {
    const { reader, aside } = this.#connections
    return guarded(async () => {
      const expired = await reader
        .selectFrom('events')
        .select(['events.stream', 'events.offset'])
        .where('expires_at', '<=', nowIso)
        .where((e) =>
          e.not(
            e.exists(
              e
                .selectFrom('outbox')
                .select('seq')
                .whereRef('outbox.stream', '=', 'events.stream')
                .whereRef('outbox.offset', '<=', 'events.offset'),
            ),
          ),
        )
        .orderBy('expires_at')
        .orderBy('events.stream')
        .orderBy('events.offset')
        .limit(limit)
        .execute()
      let count = 0
      for (const portion of portionsOf(expired, EVENTS_A_STATEMENT)) {
        const { numDeletedRows } = await aside
          .deleteFrom('events')
          .where((e) =>
            e.or(
              portion.map(({ stream, offset }) =>
                e.and([e('stream', '=', stream), e('offset', '=', offset)]),
              ),
            ),
          )
          .executeTakeFirst()
        count += Number(numDeletedRows)
      }
      return count
    })
  }
}
