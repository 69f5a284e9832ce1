import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { NotificationView } from '../support/notification-view.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

const PATH = '/notifications/preferences'

export async function notificationPreferences(t: Test, { west, east }: Service): Promise<void> {
  const shop = await ApiClient.as(west, 'shop', 'service')
  const nobody = ApiClient.nobody(west)

  await t.test(
    'GET and PUT /notifications/preferences mute by type, and tell the other sessions',
    async (t) => {
      const user = await ApiClient.as(west, 'muter')
      const view = await NotificationView.open(t, east, user)
      const send = (type: string) =>
        shop.post('/notifications/send', { userId: 'muter', title: type, message: 'm', type })
      t.same((await user.get(PATH)).body, { muted: [] })
      await send('ADS')
      t.match(await view.payload(), { title: 'ADS' })

      const put = await user.put(PATH, { muted: ['ADS', 'NEWS', 'ADS'] })
      t.same([put.status, put.body], [200, { muted: ['ADS', 'NEWS'] }])
      t.match(await view.payload(), { type: 'preferences', muted: ['ADS', 'NEWS'], at: /Z$/ })
      t.same((await (await ApiClient.as(east, 'muter')).get(PATH)).body, put.body)
      t.same((await (await ApiClient.as(east, 'other')).get(PATH)).body, { muted: [] })

      const muted = await send('ADS')
      t.same([muted.status, Object.keys(muted.body)], [202, ['id']], 'it has no event')
      await send('ads')
      t.match(await view.payload(), { title: 'ads' }, 'the muted one was not told')
      t.equal((await user.get('/notifications/unread-count')).body['count'], 2, 'nor is it counted')
      const { items } = (await user.get('/notifications?unread=false')).body
      t.match(items, [{ id: muted.body['id'], read: true, archived: false }], 'it is in the list')

      await user.put(PATH, { muted: ['NEWS', 'ADS'] })
      await user.put(PATH, { muted: [] })
      t.match(await view.payload(), { type: 'preferences', muted: [] }, 'what changes nothing is not told')
      await send('ADS')
      t.match(await view.payload(), { title: 'ADS' })
    },
  )

  await t.test('PUT /notifications/preferences mutes what is said of orders', async (t) => {
    const user = await ApiClient.as(east, 'orderer')
    const view = await NotificationView.open(t, east, user)
    await view.stomp.subscribe('orders', '/user/queue/orders')
    const service = await StompClient.connect(t, west.url, { login: 'orders' })
    const order = (status: string): Promise<unknown> => {
      const body = JSON.stringify({ orderId: 'muted-1', userId: 'orderer', status })
      return service.ask('SEND', ['destination', '/queue/user', 'content-type', 'application/json'], body)
    }
    await order('PLACED')
    t.match(await view.payload(), { type: 'ORDER', title: 'Order muted-1' })
    await user.put(PATH, { muted: ['ORDER'] })
    t.match(await view.payload(), { type: 'preferences' })
    await order('READY')
    t.match((await view.stomp.message('orders')).payload, { status: 'PLACED' })
    t.match((await view.stomp.message('orders')).payload, { status: 'READY' }, 'the order itself is told')
    await user.put(PATH, { muted: [] })
    t.match(await view.payload(), { type: 'preferences', muted: [] })
    const { items } = (await user.get('/notifications')).body
    t.match(items, [
      { message: 'Order muted-1 is ready', read: true },
      { message: 'Order muted-1 has been placed', read: false },
    ])
  })

  await t.test('GET and PUT /notifications/preferences want a token, and say what is wrong', async (t) => {
    t.equal((await nobody.get(PATH)).status, 401)
    t.equal((await nobody.put(PATH, { muted: [] })).status, 401)
    const user = await ApiClient.as(west, 'picky')
    const wrong = [
      undefined,
      [],
      {},
      { muted: 'ADS' },
      { muted: [''] },
      { muted: [7] },
      { muted: ['x'.repeat(65)] },
      { muted: Array.from({ length: 101 }, (_, i) => `${i}`) },
    ]
    for (const body of wrong) {
      const answer = await user.put(PATH, body)
      t.match([answer.status, answer.body['code']], [400, 'invalid-payload'], JSON.stringify(body))
    }
    t.same((await user.get(PATH)).body, { muted: [] })
    const all = { muted: Array.from({ length: 100 }, (_, i) => `${i}`) }
    t.same((await user.put(PATH, all)).body, all)
  })
}
