import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'

/** CONTRACT, sections 5 and 7: announcements. */
export async function broadcasts(t: Test, { west, east }: Service): Promise<void> {
  const admin = await ApiClient.as(west, 'root', 'admin')
  const post = { title: 'Maintenance', message: 'Back at 22:00' }

  for (const path of ['/admin/broadcasts', '/notifications/broadcast']) {
    await t.test(`POST ${path} reaches subscribers of /topic/broadcasts and event streams`, async (t) => {
      const alice = await StompClient.connect(t, east.url, { login: 'alice' })
      await alice.subscribe('b', '/topic/broadcasts')
      const { token } = await ApiClient.as(east, 'bob')
      const sse = await SseReader.open(t, `${east.address}/api/v1/notifications/stream`, {
        authorization: `Bearer ${token}`,
      })
      t.equal((await sse.next()).event, 'connected')
      const answer = await admin.post(path, post)
      t.equal(answer.status, 202)
      const { payload } = await alice.message('b')
      t.match(payload, { ...post, id: answer.body['id'], type: 'INFO' })
      t.match(await sse.nextJson(), { event: 'broadcast', data: { ...post, id: answer.body['id'] } })
    })

    await t.test(`POST ${path} is for administrators`, async (t) => {
      t.equal((await ApiClient.nobody(east).post(path, post)).status, 401)
      for (const role of ['user', 'service'] as const) {
        const { status, body } = await (await ApiClient.as(east, 'mallory', role)).post(path, post)
        t.match({ status, code: body['code'] }, { status: 403, code: 'forbidden' })
      }
    })

    await t.test(`POST ${path} names what is wrong`, async (t) => {
      for (const body of [
        undefined,
        {},
        { title: '' },
        { ...post, title: 7 },
        { ...post, type: 'x'.repeat(65) },
      ]) {
        const answer = await admin.post(path, body)
        t.match(
          { status: answer.status, code: answer.body['code'] },
          { status: 400, code: 'invalid-payload' },
        )
      }
      t.equal((await admin.post(path, '{"title":')).status, 400)
    })
  }
}
