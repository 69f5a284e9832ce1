import type { Store } from '../../src/store/store.ts'
import type { ApiClient } from '../support/api-client.ts'
import type { SeenEvent } from './device.ts'

type Item = Readonly<Record<string, unknown>>

/** All events of a stream, as stored. */
export async function logOf(store: Store, stream: string): Promise<readonly SeenEvent[]> {
  const events: SeenEvent[] = []
  for (;;) {
    const page = await store.log.read(stream, events.at(-1)?.offset ?? 0, 500)
    if (page.length === 0) return events
    events.push(...page.map(({ offset, body }) => ({ offset, body })))
  }
}

/** All pages of a list. @param path with its `?`, and what else is asked for */
export async function allItems(api: ApiClient, path: string): Promise<readonly Item[]> {
  const items: Item[] = []
  let cursor = ''
  for (;;) {
    const answer = await api.get(`${path}&limit=200${cursor}`)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    items.push(...answer.body.items)
    if (answer.body['cursor'] === undefined) return items
    cursor = `&cursor=${encodeURIComponent(String(answer.body['cursor']))}`
  }
}

function parsed(events: readonly SeenEvent[]): readonly Item[] {
  return events.map(({ body }) => JSON.parse(body) as Item)
}

/** The status of each order. */
export const OrderView = {
  ofItems: (items: readonly Item[]): ReadonlyMap<unknown, unknown> =>
    new Map(items.map(({ orderId, status }) => [orderId, status] as const).toSorted()),
  ofEvents: (events: readonly SeenEvent[]): ReadonlyMap<unknown, unknown> =>
    new Map([...new Map(parsed(events).map(({ orderId, status }) => [orderId, status] as const))].toSorted()),
}

/** The notifications, none of which anybody reads or deletes that day. */
export const NotificationView = {
  ofItems: (items: readonly Item[]): readonly unknown[] => items.map(({ id }) => id).toSorted(),
  ofEvents: (events: readonly SeenEvent[]): readonly unknown[] =>
    parsed(events)
      .map(({ id }) => id)
      .toSorted(),
}

/** The text of each message that was not deleted. */
export const RoomView = {
  ofItems: (items: readonly Item[]): ReadonlyMap<unknown, unknown> =>
    new Map(items.map(({ id, content }) => [id, content] as const).toSorted()),
  ofEvents(events: readonly SeenEvent[]): ReadonlyMap<unknown, unknown> {
    const contents = new Map<unknown, unknown>()
    for (const { type, id, content } of parsed(events)) {
      if (type === 'deleted') contents.delete(id)
      else if (type === undefined || type === 'edited') contents.set(id, content)
    }
    return new Map([...contents].toSorted())
  },
}
