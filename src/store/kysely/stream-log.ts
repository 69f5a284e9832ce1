import type { Kysely } from 'kysely'
import type { OutboxRepository, OutboxRow, StoredEvent, StreamLog } from '../store.ts'
import { guarded } from './failures.ts'
import { parseJson, parseTexts } from './rows.ts'
import type { Schema } from './schema.ts'

export class KyselyStreamLog implements StreamLog {
  readonly #db: Kysely<Schema>
  readonly #maxParameters: number

  constructor(db: Kysely<Schema>, maxParameters: number) {
    this.#db = db
    this.#maxParameters = maxParameters
  }

  async head(stream: string): Promise<number> {
    const heads = await this.heads([stream])
    return heads.get(stream) ?? 0
  }

  heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return guarded(async () => {
      const heads = new Map(streams.map((stream) => [stream, 0]))
      for (let from = 0; from < streams.length; from += this.#maxParameters) {
        const names = streams.slice(from, from + this.#maxParameters)
        const rows = await this.#db.selectFrom('streams').selectAll().where('name', 'in', names).execute()
        for (const { name, head } of rows) heads.set(name, head)
      }
      return heads
    })
  }

  read(stream: string, afterOffset: number, limit: number): Promise<readonly StoredEvent[]> {
    return guarded(async () => {
      const rows = await this.#db
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
}

export interface OutboxConnections {
  readonly reader: Kysely<Schema>
  readonly writer: Kysely<Schema>
  readonly nodeId: string
  readonly maxParameters: number
}

export class KyselyOutbox implements OutboxRepository {
  readonly #options: OutboxConnections

  constructor(options: OutboxConnections) {
    this.#options = options
  }

  pending(afterSeq: number, limit: number): Promise<readonly OutboxRow[]> {
    return guarded(async () => {
      const rows = await this.#options.reader
        .selectFrom('outbox')
        .innerJoin('events', (join) =>
          join.onRef('events.stream', '=', 'outbox.stream').onRef('events.offset', '=', 'outbox.offset'),
        )
        .select(['seq', 'outbox.stream', 'outbox.offset', 'address', 'headers', 'body'])
        .where('node', '=', this.#options.nodeId)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        seq: row.seq,
        stream: row.stream,
        offset: row.offset,
        address: parseJson(row.address),
        headers: parseTexts(row.headers),
        body: row.body,
      }))
    })
  }

  remove(seqs: readonly number[]): Promise<void> {
    const { writer, maxParameters } = this.#options
    return guarded(async () => {
      for (let from = 0; from < seqs.length; from += maxParameters) {
        const chunk = seqs.slice(from, from + maxParameters)
        await writer.deleteFrom('outbox').where('seq', 'in', chunk).execute()
      }
    })
  }
}
