import { header } from '../../protocol/frame.ts'
import type { ApiClient } from './api-client.ts'
import type { ServiceNode } from './service-rig.ts'
import { StompClient } from './stomp-client.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface SeenEvent {
  readonly eventId: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** What a device knows of a notification. */
export type Shown = Readonly<Record<string, unknown>> & { read: boolean; archived: boolean }

/** A device of a user that listens to the user's notifications, and shows what it was told. */
export class NotificationView {
  /** By id. */
  readonly shown = new Map<string, Shown>()
  readonly stomp: StompClient

  private constructor(stomp: StompClient) {
    this.stomp = stomp
  }

  /** @param headers of its SUBSCRIBE */
  static async open(
    t: Teardown,
    node: ServiceNode,
    user: ApiClient,
    headers: readonly string[] = [],
  ): Promise<NotificationView> {
    const stomp = await StompClient.open(t, node.url)
    stomp.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${user.token}`])
    await stomp.next('CONNECTED')
    await stomp.subscribe('n', '/user/queue/notifications', headers)
    return new NotificationView(stomp)
  }

  /** The next event, once it is shown. */
  async next(): Promise<SeenEvent> {
    const { frame, payload } = await this.stomp.message('n')
    this.#show(payload)
    return { eventId: header(frame.headers, 'event-id') ?? '', payload }
  }

  async payload(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.next()).payload
  }

  /** Shows what comes up to the event that fits, and answers how many came. */
  async until(fits: (payload: SeenEvent['payload']) => boolean): Promise<number> {
    for (let count = 1; ; count += 1) if (fits((await this.next()).payload)) return count
  }

  #show(event: SeenEvent['payload']): void {
    const { type, title, id, read, archived } = event
    if (typeof title === 'string') {
      this.shown.set(String(id), { ...event, read: false, archived: false })
    } else if (type === 'deleted') {
      this.shown.delete(String(id))
    } else if (type === 'all-deleted') {
      this.shown.clear()
    } else if (type === 'all-read') {
      for (const each of this.shown.values()) each.read = true
    } else if (type === 'changed') {
      const known = this.shown.get(String(id))
      if (typeof read === 'boolean' && known !== undefined) known.read = read
      if (typeof archived === 'boolean' && known !== undefined) known.archived = archived
    }
  }
}

/** All that the store has of a user, archived or not, as `NotificationView` shows it, page by page. */
export async function storedNotifications(user: ApiClient): Promise<ReadonlyMap<string, Shown>> {
  const found = new Map<string, Shown>()
  for (const archived of [false, true]) {
    for (let cursor = ''; ;) {
      const { body } = await user.get(`/notifications?limit=7&archived=${archived}${cursor}`)
      for (const { readAt: _, archivedAt: __, ...item } of body.items) {
        found.set(String(item['id']), item as unknown as Shown)
      }
      const next = body['cursor']
      if (typeof next !== 'string') break
      cursor = `&cursor=${next}`
    }
  }
  return found
}
