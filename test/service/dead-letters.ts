import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { audited } from '../support/audited.ts'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

const LIST = '/admin/dead-letters'
const NONE = '0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'

/** CONTRACT, sections 5 and 7: dead letters. */
export async function deadLetters(t: Test, { west, east }: Service): Promise<void> {
  const shop = await StompClient.connect(t, west.url, { login: 'orders' })
  const watcher = await StompClient.connect(t, east.url, { login: 'admin' })
  await watcher.subscribe('dead', '/queue/user.dead-letter')
  const admin = await ApiClient.as(east, 'root', 'admin')
  const send = async (body: string | Uint8Array, ...headers: string[]): Promise<void> => {
    shop.send('SEND', ['destination', '/queue/user', ...headers], body)
  }
  /** Sends what becomes a dead letter; resolves with its id. */
  const die = async (body: string | Uint8Array, ...headers: string[]): Promise<string> => {
    await send(body, ...headers)
    return nextDead()
  }
  const nextDead = async (): Promise<string> =>
    header((await watcher.next('MESSAGE')).headers, 'x-dead-letter-id') ?? ''

  await t.test('GET /admin/dead-letters lists them with reason, queue, headers and body', async (t) => {
    const text = await die('{"orderId":"ünïcode"}', 'x-shop', 'east', 'content-type', 'application/json')
    const bytes = await die(new Uint8Array([0xff, 0x00]))
    const long = await die(`${'x'.repeat(4095)}ü`)
    const { status, body } = await admin.get(`${LIST}?limit=3`)
    t.equal(status, 200)
    t.match(body.items, [
      { id: long, body: 'x'.repeat(4095), encoding: 'utf-8', bodyBytes: 4097, isCut: true },
      { id: bytes, body: '/wA=', encoding: 'base64', bodyBytes: 2, isCut: false },
      {
        id: text,
        queue: 'user',
        reason: /^invalid-payload: /,
        headers: { 'x-shop': 'east', 'content-type': 'application/json' },
        body: '{"orderId":"ünïcode"}',
        encoding: 'utf-8',
        isCut: false,
        createdAt: /^\d{4}-/,
      },
    ])
    const one = await admin.get(`${LIST}/${long}`)
    t.match(one.body, { id: long, body: `${'x'.repeat(4095)}ü`, isCut: false })
    const first = await admin.get(`${LIST}?limit=1`)
    const next = await admin.get(`${LIST}?limit=1&cursor=${String(first.body['cursor'])}`)
    t.match([first.body.items, next.body.items], [[{ id: long }], [{ id: bytes }]])
  })

  await t.test('GET /admin/dead-letters keeps a page small, however long what is in it', async (t) => {
    const ids = []
    for (let i = 0; i < 70; i++) ids.push(await die(`${i}${'x'.repeat(6000)}`))
    const seen: unknown[] = []
    let cursor = ''
    for (let pages = 0; seen.length < ids.length && pages < 10; pages++) {
      const { body, text } = await admin.get(`${LIST}?limit=200${cursor}`)
      t.ok(body.items.length < ids.length && text.length < 400_000)
      seen.push(...body.items.map(({ id }) => id))
      cursor = `&cursor=${String(body['cursor'])}`
    }
    t.same(seen.slice(0, ids.length), ids.toReversed())
  })

  await t.test('POST /admin/dead-letters/{id}/requeue puts it back into its queue', async (t) => {
    const id = await die('not to be taken', 'x-shop', 'east', 'amqp-message-id', 'm-1')
    const answer = await admin.post(`${LIST}/${id}/requeue`)
    t.match({ status: answer.status, body: answer.body }, { status: 202, body: { id, queue: 'user' } })
    const again = await nextDead()
    t.not(again, id, 'it is another dead letter, where nothing else has changed')
    t.equal((await admin.get(`${LIST}/${id}`)).status, 404)
    t.equal((await admin.post(`${LIST}/${id}/requeue`)).status, 404)
    t.match((await admin.get(`${LIST}/${again}`)).body, {
      body: 'not to be taken',
      headers: { 'x-shop': 'east', 'amqp-message-id': 'm-1', 'x-dead-letter-requeued': /./ },
    })
    await audited(east, 'root', `POST /api/v1${LIST}/${id}/requeue`)
  })

  await t.test('DELETE /admin/dead-letters/{id} throws it away', async (t) => {
    const id = await die('gone')
    t.equal((await admin.delete(`${LIST}/${id}`)).status, 204)
    t.equal((await admin.delete(`${LIST}/${id}`)).status, 404)
    t.equal((await admin.get(`${LIST}/${id}`)).status, 404)
    await audited(east, 'root', `DELETE /api/v1${LIST}/${id}`)
  })

  await t.test('dead letters are for administrators, whatever is asked', async (t) => {
    const id = await die('secret')
    const ways = [
      ['get', LIST],
      ['get', `${LIST}/${id}`],
      ['post', `${LIST}/${id}/requeue`],
      ['delete', `${LIST}/${id}`],
    ] as const
    for (const [method, path] of ways) {
      t.equal((await ApiClient.nobody(east)[method](path)).status, 401)
      for (const role of ['user', 'service'] as const) {
        const { status, text } = await (await ApiClient.as(east, 'mallory', role))[method](path)
        t.equal(status, 403, `${role} ${method} ${path}`)
        t.notMatch(text, 'secret')
      }
    }
    t.equal((await admin.get(`${LIST}/${id}`)).status, 200, 'it is still there')
  })

  await t.test('dead letters that are not there are 404, and queries that do not fit 400', async (t) => {
    for (const id of [NONE, 'none', 'a%00b', 'x'.repeat(90)]) {
      t.equal((await admin.get(`${LIST}/${id}`)).status, 404)
      t.equal((await admin.post(`${LIST}/${id}/requeue`)).status, 404)
      t.equal((await admin.delete(`${LIST}/${id}`)).status, 404)
    }
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=%00', 'cursor=none']) {
      t.match((await admin.get(`${LIST}?${query}`)).body, { status: 400, code: 'invalid-query' }, query)
    }
  })
  await watcher.ask('UNSUBSCRIBE', ['id', 'dead'])
}
