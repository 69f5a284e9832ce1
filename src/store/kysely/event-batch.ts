import type { NewEventRow } from '../store.ts'
import type { BatchEvent, EventBatch } from './idiom.ts'
import { checked, toJson } from './rows.ts'
import type { StreamTable } from './schema.ts'

/** @throws MessageError `invalid-payload` where an event cannot be stored */
export function eventBatch(node: string, rows: readonly NewEventRow[]): EventBatch {
  const streams = new Map<string, StreamTable>()
  const numbered = rows.map((row) => {
    const before = streams.get(row.stream)
    const head = (before?.head ?? 0) + 1
    const expiresAt = later(before?.expires_at ?? '', row.expiresAt)
    streams.set(row.stream, { name: row.stream, head, expires_at: expiresAt })
    return { row, number: head }
  })
  const events = numbered.map(({ row, number }): BatchEvent => {
    const { stream, headers, body, createdAt, address } = row
    const back = (streams.get(stream)?.head ?? 0) - number
    return checked({
      stream,
      back,
      headers: toJson(headers),
      body,
      created_at: createdAt,
      address: toJson(address),
    })
  })
  const sorted = [...streams.values()].map(checked).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return { node, streams: sorted, events }
}

function later(a: string, b: string): string {
  return a > b ? a : b
}
