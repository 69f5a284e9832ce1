import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { SseReader } from '../support/sse-reader.ts'

/** CONTRACT, section 7: the feed of a user over HTTP. That it shows what STOMP shows is said where that is sent. */
export async function feeds(t: Test, { west, east }: Service): Promise<void> {
  const bob = await ApiClient.as(east, 'bob')
  const admin = await ApiClient.as(west, 'root', 'admin')
  const url = `${east.address}/api/v1/notifications/stream`
  const bearer = (client: ApiClient): Record<string, string> => ({
    authorization: `Bearer ${client.token ?? ''}`,
  })

  for (const path of ['', '/bob']) {
    await t.test(`GET /notifications/stream${path} tells and resumes`, async (t) => {
      const first = await SseReader.open(t, url + path, bearer(bob))
      t.match(await first.nextJson(), { event: 'connected', data: { user: 'bob' } })
      await admin.post('/admin/broadcasts', { title: 'one', message: 'm' })
      const { id } = await first.nextJson()
      await first.close()
      await admin.post('/admin/broadcasts', { title: 'two', message: 'm' })
      const second = await SseReader.open(t, url + path, { ...bearer(bob), 'last-event-id': id })
      t.match(await second.nextJson(), { event: 'connected', data: { recovered: true } })
      t.match(await second.nextJson(), { event: 'broadcast', data: { title: 'two' } })
    })

    await t.test(`GET /notifications/stream${path} wants a token and a query that can be read`, async (t) => {
      t.equal((await ApiClient.nobody(east).get(`/notifications/stream${path}`)).status, 401)
      t.match(await bob.get(`/notifications/stream${path}?lastEventId=a&lastEventId=b`), {
        status: 400,
        body: { code: 'invalid-query' },
      })
    })
  }

  await t.test('GET /notifications/stream/{userId} is for that user and administrators', async (t) => {
    const mallory = await ApiClient.as(east, 'mallory')
    t.match(await mallory.get('/notifications/stream/bob'), { status: 403, body: { code: 'forbidden' } })
    t.match(await admin.get('/notifications/stream/a%20b'), { status: 404, body: { code: 'not-found' } })
    const reader = await SseReader.open(t, `${url}/bob`, bearer(await ApiClient.as(east, 'root', 'admin')))
    t.match(await reader.nextJson(), { event: 'connected', data: { user: 'bob' } })
  })

  await t.test('GET /notifications/poll answers what came, and waits for what comes', async (t) => {
    const { body: start } = await bob.get('/notifications/poll?wait=0')
    const after = encodeURIComponent(String(start['lastEventId']))
    const waiting = bob.get(`/notifications/poll?wait=25&after=${after}`)
    await admin.post('/admin/broadcasts', { title: 'three', message: 'm' })
    t.match(await waiting, {
      status: 200,
      body: { events: [{ event: 'broadcast', data: { title: 'three' } }] },
    })
    t.equal((await ApiClient.nobody(east).get('/notifications/poll')).status, 401)
    t.match(await bob.get('/notifications/poll?wait=soon'), { status: 400, body: { code: 'invalid-query' } })
  })
}
