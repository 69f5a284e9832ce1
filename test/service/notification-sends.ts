import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { NotificationView } from '../support/notification-view.ts'
import type { Service } from '../support/service-rig.ts'
import { SseReader } from '../support/sse-reader.ts'

const POST = { userId: 'sent-to', title: 'Parcel', message: 'It is at the door' }

export async function notificationSends(t: Test, { west, east }: Service): Promise<void> {
  const shop = await ApiClient.as(west, 'shop', 'service')
  const root = await ApiClient.as(west, 'root', 'admin')
  const reader = await ApiClient.as(east, 'sent-to')

  await t.test(
    'POST /notifications/send reaches the user at /user/queue/notifications, and stays',
    async (t) => {
      const view = await NotificationView.open(t, east, reader)
      const data = { parcel: 7, places: ['door', null] }
      const first = await shop.post('/notifications/send', { ...POST, type: 'PARCEL', data })
      const second = await root.post('/notifications/send', { ...POST, unknown: 'dropped' })
      t.same([first.status, second.status], [202, 202])
      const told = [await view.next(), await view.next()]
      const [one, two] = told.map(({ payload: { createdAt, ...payload } }) => {
        t.match(createdAt, /^\d{4}-.*Z$/)
        return payload
      })
      const { userId: _, ...texts } = POST
      t.same(one, { ...texts, id: first.body['id'], type: 'PARCEL', data })
      t.same(two, { ...texts, id: second.body['id'], type: 'INFO' })
      t.same(
        told.map(({ eventId }) => eventId),
        [first.body['eventId'], second.body['eventId']],
      )
      const { body } = await reader.get('/notifications')
      t.match(body.items, [
        { id: second.body['id'], read: false, archived: false },
        { ...one, read: false, archived: false },
      ])
    },
  )

  await t.test('POST /notifications/send stores once what is repeated with its clientId', async (t) => {
    const body = { ...POST, userId: 'sent-once', clientId: 'c' }
    const [first, again] = await Promise.all([
      shop.post('/notifications/send', body),
      (await ApiClient.as(east, 'shop', 'service')).post('/notifications/send', body),
    ])
    t.equal(first.status, 202)
    t.same([again.status, again.body], [202, first.body])
    t.not((await root.post('/notifications/send', body)).body['id'], first.body['id'], 'of somebody else')
    const { body: list } = await (await ApiClient.as(east, 'sent-once')).get('/notifications')
    t.equal(list.items.length, 2)
  })

  await t.test('POST /notifications/send is for services and administrators', async (t) => {
    t.equal((await ApiClient.nobody(west).post('/notifications/send', POST)).status, 401)
    const { status, body } = await reader.post('/notifications/send', POST)
    t.match({ status, code: body['code'] }, { status: 403, code: 'forbidden' })
    t.equal((await reader.post('/notifications/send', {})).status, 403, 'and learns nothing of the body')
  })

  await t.test('POST /notifications/send names what is wrong', async (t) => {
    const wrong = [
      undefined,
      [],
      { ...POST, userId: undefined },
      { ...POST, userId: 'a b' },
      { ...POST, userId: 'x'.repeat(65) },
      { ...POST, title: '' },
      { ...POST, title: 'x'.repeat(201) },
      { ...POST, message: 7 },
      { ...POST, message: 'x'.repeat(8193) },
      { ...POST, message: 'a\0b' },
      { ...POST, title: 'half \ud800' },
      { ...POST, type: '' },
      { ...POST, type: 'x'.repeat(65) },
      { ...POST, type: 'all-read' },
      { ...POST, data: ['no', 'object'] },
      { ...POST, data: { long: 'x'.repeat(16_384) } },
      { ...POST, clientId: '' },
    ]
    const { items } = (await reader.get('/notifications')).body
    for (const body of wrong) {
      const { status, body: problem } = await shop.post('/notifications/send', body)
      t.match(
        { status, code: problem['code'] },
        { status: 400, code: 'invalid-payload' },
        JSON.stringify(body),
      )
    }
    t.equal((await shop.post('/notifications/send', '{"userId":')).status, 400)
    t.same((await reader.get('/notifications')).body.items, items, 'nothing was stored')
    const bound = { ...POST, title: 'x'.repeat(200), message: 'x'.repeat(8192), type: 'x'.repeat(64) }
    t.equal((await shop.post('/notifications/send', bound)).status, 202)
  })

  await t.test(
    'POST /notifications/send is kept for a user who is away, and delivered on return',
    async (t) => {
      const traveller = await ApiClient.as(east, 'traveller')
      const url = `${east.address}/api/v1/notifications`
      const authorization = `Bearer ${traveller.token}`
      const before = await NotificationView.open(t, west, traveller)
      const sse = await SseReader.open(t, `${url}/stream`, { authorization })
      const send = async (title: string): Promise<void> => {
        await shop.post('/notifications/send', { userId: 'traveller', title, message: 'm' })
      }
      await send('first')
      const { eventId } = await before.next()
      await sse.next()
      const { id: vector } = await sse.next()
      await Promise.all([before.stomp.close(), sse.close()])
      for (const title of ['second', 'third']) await send(title)

      const resumed = await NotificationView.open(t, east, traveller, ['last-event-id', eventId])
      t.match([await resumed.payload(), await resumed.payload()], [{ title: 'second' }, { title: 'third' }])
      const anew = await NotificationView.open(t, east, traveller, ['history', '2'])
      t.match([await anew.payload(), await anew.payload()], [{ title: 'second' }, { title: 'third' }])
      const stream = await SseReader.open(t, `${url}/stream`, { authorization, 'last-event-id': vector })
      t.match(await stream.nextJson(), { event: 'connected', data: { recovered: true } })
      t.match(
        [await stream.nextJson(), await stream.nextJson()],
        [
          { event: 'notification', data: { title: 'second' } },
          { event: 'notification', data: { title: 'third' } },
        ],
      )
      const poll = await traveller.get(`/notifications/poll?after=${encodeURIComponent(vector)}`)
      t.match(poll.body['events'], [{ data: { title: 'second' } }, { data: { title: 'third' } }])
      t.equal((await traveller.get('/notifications/unread-count')).body['count'], 3)
    },
  )

  await t.test('SUBSCRIBE /user/queue/notifications brings the own ones alone', async (t) => {
    const view = await NotificationView.open(t, east, await ApiClient.as(east, 'neighbour'))
    await view.stomp.subscribe('errors', '/user/queue/errors')
    for (const destination of ['/user/sent-to/queue/notifications', '/queue/notifications-usersent-to']) {
      view.stomp.send('SUBSCRIBE', ['id', destination, 'destination', destination])
      t.match((await view.stomp.message('errors')).payload, { code: 'forbidden' })
    }
    await shop.post('/notifications/send', POST)
    const { body } = await shop.post('/notifications/send', { ...POST, userId: 'neighbour' })
    t.equal((await view.payload())['id'], body['id'])
  })

  await t.test('GET /notifications/status tells administrators who is connected, on any node', async (t) => {
    const names = ['status-a', 'status-b']
    for (const [i, name] of names.entries()) {
      await NotificationView.open(t, [west, east][i]!, await ApiClient.as(west, name))
    }
    const found = async () => {
      const { body } = await root.get('/notifications/status?cursor=status-&limit=200')
      return { connectedUsers: Number(body['connectedUsers']), users: body['users'] as readonly string[] }
    }
    const isThere = async (): Promise<boolean> => {
      const { users } = await found()
      return names.every((name) => users.includes(name))
    }
    while (!(await isThere()));
    const { connectedUsers } = await found()
    t.ok(connectedUsers >= 2)
    const page = await root.get('/notifications/status?cursor=status-&limit=1')
    t.match(page.body, { users: ['status-a'], cursor: 'status-a' })
    t.equal((await root.get('/notifications/status?limit=0')).status, 400)
    t.equal((await root.get('/notifications/status?cursor=%00')).status, 400)
    t.equal((await ApiClient.nobody(east).get('/notifications/status')).status, 401)
    for (const caller of [reader, shop]) t.equal((await caller.get('/notifications/status')).status, 403)
  })
}
