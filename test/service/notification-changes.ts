import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { NotificationView } from '../support/notification-view.ts'
import type { Service } from '../support/service-rig.ts'

const NOBODYS = '0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'

/** A user with so many notifications, at west, and a device of theirs at east. */
async function userWith(t: Test, { west, east }: Service, { name, count }: { name: string; count: number }) {
  const shop = await ApiClient.as(west, 'shop', 'service')
  const user = await ApiClient.as(west, name)
  const ids: string[] = []
  for (let i = 0; i < count; i += 1) {
    const type = i % 2 === 0 ? 'EVEN' : 'ODD'
    const { body } = await shop.post('/notifications/send', {
      userId: name,
      title: `${i}`,
      message: 'm',
      type,
    })
    ids.push(String(body['id']))
  }
  const view = await NotificationView.open(t, east, await ApiClient.as(east, name))
  const shownBy = async (query = ''): Promise<readonly unknown[]> => {
    const { status, body } = await user.get(`/notifications${query}`)
    t.equal(status, 200)
    return body.items.map(({ title }) => title)
  }
  const unread = async (): Promise<unknown> => (await user.get('/notifications/unread-count')).body['count']
  return { user, ids, view, shownBy, unread }
}

export async function notificationChanges(t: Test, service: Service): Promise<void> {
  const { west, east } = service
  const nobody = ApiClient.nobody(west)
  const stranger = await ApiClient.as(east, 'stranger')
  const admin = await ApiClient.as(east, 'root', 'admin')

  await t.test('GET /notifications lists the own ones by what is asked for, page by page', async (t) => {
    const { user, ids, shownBy } = await userWith(t, service, { name: 'lister', count: 5 })
    await user.patch(`/notifications/${ids[0]}`, { read: true })
    await user.patch(`/notifications/${ids[1]}`, { archived: true })
    await user.patch(`/notifications/${ids[2]}`, { read: true, archived: true })
    t.same(await shownBy(), ['4', '3', '0'], 'without what is put away')
    t.same(await shownBy('?unread=&archived='), ['4', '3', '0'], 'what is empty asks for nothing')
    t.same(await shownBy('?unread=true'), ['4', '3'])
    t.same(await shownBy('?unread=false'), ['0'])
    t.same(await shownBy('?archived=true'), ['2', '1'])
    t.same(await shownBy('?archived=true&unread=true'), ['1'])
    t.same(await shownBy('?archived=false&type=EVEN'), ['4', '0'])
    t.same(await shownBy('?type=NONE'), [])
    const { body } = await user.get('/notifications?limit=2')
    t.match(body, { cursor: ids[3] })
    t.same(await shownBy(`?limit=2&cursor=${ids[3]}`), ['0'])
    t.notOk((await user.get(`/notifications?limit=1&cursor=${ids[3]}`)).body['cursor'])
    t.same((await stranger.get('/notifications')).body.items, [])
    t.same((await admin.get('/notifications')).body.items, [], 'nor are they an administrator’s')
    t.equal((await nobody.get('/notifications')).status, 401)
    for (const query of [
      'limit=0',
      'limit=201',
      'unread=yes',
      'archived=1',
      'cursor=x',
      'cursor=%00',
      'type=',
    ]) {
      const answer = await user.get(`/notifications?${query}`)
      t.match([answer.status, answer.body['code']], [400, 'invalid-query'], query)
    }
    t.equal((await user.get('/notifications?type=%00')).status, 400)
  })

  await t.test('GET /notifications/unread-count counts what is neither read nor archived', async (t) => {
    const { user, ids, unread, shownBy } = await userWith(t, service, { name: 'counter', count: 3 })
    t.equal(await unread(), 3)
    await user.patch(`/notifications/${ids[0]}`, { read: true })
    t.equal(await unread(), 2)
    await user.patch(`/notifications/${ids[1]}`, { archived: true })
    t.equal(await unread(), 1)
    t.same(await shownBy('?unread=true'), ['2'], 'as the list')
    await user.patch(`/notifications/${ids[0]}`, { read: false })
    t.equal(await unread(), 2)
    t.same((await stranger.get('/notifications/unread-count')).body, { count: 0 })
    t.equal((await nobody.get('/notifications/unread-count')).status, 401)
  })

  await t.test('PATCH /notifications/{id} marks one, and tells the other sessions', async (t) => {
    const { user, ids, view } = await userWith(t, service, { name: 'marker', count: 2 })
    const [id] = ids
    const read = await user.patch(`/notifications/${id}`, { read: true })
    t.match([read.status, read.body], [200, { id, title: '0', read: true, archived: false, readAt: /Z$/ }])
    t.same(await view.payload(), { type: 'changed', id, read: true, at: read.body['readAt'] })
    const again = await user.patch(`/notifications/${id}`, { read: true })
    t.same([again.status, again.body], [200, read.body], 'what is so already changes nothing')
    const put = await user.patch(`/notifications/${id}`, { read: true, archived: true })
    t.match(put.body, { ...read.body, archived: true, archivedAt: /Z$/ })
    t.same(
      await view.payload(),
      { type: 'changed', id, archived: true, at: put.body['archivedAt'] },
      'and is not told again',
    )
    const back = await user.patch(`/notifications/${id}`, { read: false, archived: false })
    t.match(back.body, { read: false, archived: false, readAt: undefined, archivedAt: undefined })
    t.match(await view.payload(), { type: 'changed', id, read: false, archived: false })
    t.match((await user.get('/notifications')).body.items, [{ id: ids[1] }, back.body])
  })

  await t.test(
    'PATCH /notifications/{id} is for its owner, and says of others that they are not there',
    async (t) => {
      const { user, ids, shownBy } = await userWith(t, service, { name: 'owner', count: 1 })
      const path = `/notifications/${ids[0]}`
      t.equal((await nobody.patch(path, { read: true })).status, 401)
      const missing = await user.patch(`/notifications/${NOBODYS}`, { read: true })
      t.match([missing.status, missing.body['code']], [404, 'not-found'])
      for (const caller of [stranger, admin, await ApiClient.as(west, 'shop', 'service')]) {
        const { status, text } = await caller.patch(path, { read: true })
        t.same([status, text], [404, missing.text])
      }
      t.same(await shownBy('?unread=true'), ['0'])
      for (const id of ['x', 'preferences', '%00', `${ids[0]}0`, NOBODYS.toUpperCase()]) {
        t.equal((await user.patch(`/notifications/${id}`, { read: true })).status, 404, id)
      }
      for (const body of [
        undefined,
        {},
        [],
        { read: 'yes' },
        { archived: 1 },
        { read: null },
        { seen: true },
      ]) {
        const answer = await user.patch(path, body)
        t.match([answer.status, answer.body['code']], [400, 'invalid-payload'], JSON.stringify(body))
      }
    },
  )

  await t.test(
    'POST /notifications/read-all reads all, archived ones too, and tells the other sessions',
    async (t) => {
      const { user, ids, view, shownBy, unread } = await userWith(t, service, {
        name: 'all-reader',
        count: 3,
      })
      const others = await userWith(t, service, { name: 'bystander', count: 1 })
      await user.patch(`/notifications/${ids[0]}`, { archived: true })
      await view.next()
      const { status, text } = await user.post('/notifications/read-all')
      t.same([status, text], [204, ''])
      t.match(await view.payload(), { type: 'all-read', at: /Z$/ })
      t.equal(await unread(), 0)
      t.same(await shownBy('?unread=true'), [])
      t.same(await shownBy('?archived=true&unread=false'), ['0'])
      t.equal(await others.unread(), 1)
      t.equal((await nobody.post('/notifications/read-all')).status, 401)
    },
  )

  await t.test('DELETE /notifications/{id} removes one, and tells the other sessions', async (t) => {
    const { user, ids, view, shownBy } = await userWith(t, service, { name: 'remover', count: 2 })
    const path = `/notifications/${ids[0]}`
    t.equal((await nobody.delete(path)).status, 401)
    for (const caller of [stranger, admin]) t.equal((await caller.delete(path)).status, 404)
    t.same(await shownBy(), ['1', '0'])
    t.equal((await user.delete(path)).status, 204)
    t.match(await view.payload(), { type: 'deleted', id: ids[0], at: /Z$/ })
    t.same(await shownBy(), ['1'])
    for (const gone of [ids[0], NOBODYS, 'x', '%00']) {
      t.equal((await user.delete(`/notifications/${gone}`)).status, 404)
    }
    t.equal((await user.patch(path, { read: true })).status, 404)
  })

  await t.test('DELETE /notifications removes all of one user, and tells the other sessions', async (t) => {
    const { user, ids, view, shownBy, unread } = await userWith(t, service, { name: 'clearer', count: 3 })
    const others = await userWith(t, service, { name: 'onlooker', count: 1 })
    await user.patch(`/notifications/${ids[0]}`, { archived: true })
    await view.next()
    t.equal((await nobody.delete('/notifications')).status, 401)
    t.equal((await user.delete('/notifications')).status, 204)
    t.match(await view.payload(), { type: 'all-deleted', at: /Z$/ })
    t.same([await shownBy(), await shownBy('?archived=true'), await unread()], [[], [], 0])
    t.same(await others.shownBy(), ['0'])
  })
}
