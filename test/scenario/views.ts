import type { Store } from '../../src/store/store.ts'
import type { ApiClient } from '../support/api-client.ts'
import type { SeenEvent } from './device.ts'

export type Item = Readonly<Record<string, unknown>>

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
    const { cursor: next } = answer.body
    if (typeof next !== 'string') return items
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}

/** What the bodies say. */
export function parsed(events: readonly SeenEvent[]): readonly Item[] {
  return events.map(({ body }) => JSON.parse(body) as Item)
}

/** By id; of one that comes twice the last counts. */
export type View = Readonly<Record<string, unknown>>

/** The status of each order. */
export const orderView = (items: readonly Item[]): View => view(items, 'orderId', 'status')

/** The text of each message. */
export const messageView = (items: readonly Item[]): View => view(items, 'id', 'content')

/** The title of each notification. */
export const notificationView = (items: readonly Item[]): View => view(items, 'id', 'title')

/** The text of each message that was not deleted, as the events of a room tell. */
export function roomView(events: readonly Item[]): View {
  const gone = new Set(events.filter(({ type }) => type === 'deleted').map(({ id }) => id))
  const said = events.filter(({ id, content }) => content !== undefined && !gone.has(id))
  return messageView(said)
}

function view(items: readonly Item[], key: string, value: string): View {
  return Object.fromEntries(items.map((item) => [item[key], item[value]]))
}
