import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { NotificationView, storedNotifications } from '../support/notification-view.ts'
import type { Service } from '../support/service-rig.ts'
import { SseReader } from '../support/sse-reader.ts'

const ROUNDS = 25

interface PolledEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

export async function notificationViews(t: Test, { west, east }: Service): Promise<void> {
  const shop = await ApiClient.as(west, 'shop', 'service')

  await t.test('STOMP, event streams and long polls show the same events with the same ids', async (t) => {
    const user = await ApiClient.as(west, 'watcher')
    const authorization = `Bearer ${user.token}`
    const stomp = await NotificationView.open(t, east, user)
    const sse = await SseReader.open(t, `${west.address}/api/v1/notifications/stream`, { authorization })
    const { id: start } = await sse.next()
    const post = { userId: 'watcher', title: 'one', message: 'm' }
    const { id } = (await shop.post('/notifications/send', post)).body
    await user.patch(`/notifications/${String(id)}`, { read: true })
    await user.put('/notifications/preferences', { muted: ['ADS'] })
    await user.post('/notifications/read-all')
    await user.delete(`/notifications/${String(id)}`)
    await user.delete('/notifications')
    const types = ['INFO', 'changed', 'preferences', 'all-read', 'deleted', 'all-deleted']
    const { body } = await (
      await ApiClient.as(east, 'watcher')
    ).get(`/notifications/poll?after=${encodeURIComponent(start)}`)
    const polled = body['events'] as readonly PolledEvent[]
    t.equal(polled.length, types.length)
    for (const [i, type] of types.entries()) {
      const { eventId, payload } = await stomp.next()
      const { event, id: vector, data } = await sse.nextJson()
      t.match({ event, type: payload['type'] }, { event: 'notification', type })
      t.same(data, payload)
      t.same(polled[i], { event, id: vector, data })
      t.ok(vector.split(',').includes(eventId), 'the vector holds the id that STOMP says')
    }
  })

  await t.test('sends and changes on two nodes at once leave every device with what is stored', async (t) => {
    const users = ['busy-one', 'busy-two']
    const views: NotificationView[] = []
    for (const name of users) {
      for (const node of [west, east]) {
        views.push(await NotificationView.open(t, node, await ApiClient.as(node, name)))
      }
    }
    const act = async (node: Service['west'], name: string): Promise<void> => {
      const sender = await ApiClient.as(node, 'shop', 'service')
      const user = await ApiClient.as(node, name)
      const send = () => sender.post('/notifications/send', { userId: name, title: 't', message: 'm' })
      for (let round = 0; round < ROUNDS; round += 1) {
        const { items } = (await user.get('/notifications?limit=5')).body
        const patches = items.map(({ id }, i) => {
          const mark = i % 2 === 0 ? { read: round % 2 === 0 } : { archived: round % 3 === 0 }
          return user.patch(`/notifications/${String(id)}`, mark)
        })
        const others = [
          ...(round % 5 === 2 ? [user.post('/notifications/read-all')] : []),
          ...(round % 4 === 3 && items[4] ? [user.delete(`/notifications/${String(items[4]['id'])}`)] : []),
          ...(round === 15 ? [user.delete('/notifications')] : []),
        ]
        const answers = await Promise.all([send(), ...patches, ...others, send()])
        const wrong = answers.filter(({ status }) => ![200, 202, 204, 404].includes(status))
        t.same(
          wrong.map(({ status, text }) => `${status} ${text}`),
          [],
        )
      }
    }
    await Promise.all(users.flatMap((name) => [act(west, name), act(east, name)]))
    for (const [i, name] of users.entries()) {
      await shop.post('/notifications/send', { userId: name, title: 'last', message: 'm' })
      const user = await ApiClient.as(east, name)
      const stored = await storedNotifications(user)
      const counts = [...stored.values()].filter(({ read, archived }) => !read && !archived).length
      t.equal((await user.get('/notifications/unread-count')).body['count'], counts)
      for (const view of views.slice(2 * i, 2 * i + 2)) {
        const events = await view.until(({ title }) => title === 'last')
        const sorted = (all: ReadonlyMap<string, unknown>) =>
          [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
        t.same(sorted(view.shown), sorted(stored), `after ${events} events, ${stored.size} are left`)
      }
    }
  })
}
