import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'

const ENDED: ReadonlySet<unknown> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED'])
const NOT_THERE = '0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'

type Status = Readonly<Record<string, unknown>>

/** What a subscription to `/user/queue/operations` says of one operation, up to its end. */
async function followed(client: StompClient, subscription: string, id: unknown): Promise<Status[]> {
  const seen: Status[] = []
  while (!ENDED.has(seen.at(-1)?.['state'])) {
    const { payload } = await client.message(subscription)
    if (payload['id'] === id) seen.push(payload)
  }
  return seen
}

/** Writes messages into a room, one after the other. */
async function fill(client: StompClient, room: string, count: number): Promise<void> {
  const destination = `/app/rooms/${room}/messages`
  for (let n = 1; n < count; n++) {
    client.send('SEND', ['destination', destination], JSON.stringify({ content: `message ${n}` }))
  }
  await client.ask('SEND', ['destination', destination], JSON.stringify({ content: `message ${count}` }))
}

/** CONTRACT, sections 5 and 7: long operations. */
export async function operations(t: Test, { west, east }: Service): Promise<void> {
  const alice = await ApiClient.as(west, 'alice')
  const aliceInEast = await ApiClient.as(east, 'alice')
  const mallory = await ApiClient.as(east, 'mallory')
  const watching = await StompClient.connect(t, east.url, { login: 'alice' })
  await watching.subscribe('o', '/user/queue/operations')
  const exportOf = (room: string, fields: object = {}): object => ({
    type: 'history-export',
    params: { room },
    ...fields,
  })
  await fill(watching, 'archive', 250)
  const done = await alice.post('/operations', exportOf('archive'))
  const id = String(done.body['id'])

  await t.test('POST /operations is done by some node, and followed on the other one', async (t) => {
    t.equal(done.status, 202)
    t.match(done.body, { type: 'history-export', state: 'QUEUED', done: 0, params: { room: 'archive' } })
    const seen = await followed(watching, 'o', id)
    t.match(seen[0], { id, state: 'QUEUED', done: 0 })
    t.match(seen[1], { id, state: 'RUNNING' })
    t.match(seen.at(-1), { id, state: 'SUCCEEDED', done: 250, total: 250, hasResult: true })
    const steps = seen.map((each) => Number(each['done']))
    t.strictSame(
      steps,
      steps.toSorted((a, b) => a - b),
      'done never falls',
    )
  })

  await t.test('POST /operations is answered as the first time where it is repeated', async (t) => {
    const post = exportOf('archive', { clientId: 'again' })
    const [first, second] = [
      await alice.post('/operations', post),
      await aliceInEast.post('/operations', post),
    ]
    t.match([first.status, second.status], [202, 202])
    t.equal(first.body['id'], second.body['id'])
    await followed(watching, 'o', first.body['id'])
  })

  await t.test('POST /operations names what is wrong, and refuses who may not', async (t) => {
    t.equal((await ApiClient.nobody(west).post('/operations', exportOf('archive'))).status, 401)
    for (const body of [
      undefined,
      {},
      { type: 'history-export' },
      { type: 'nothing', params: {} },
      exportOf('no room'),
      exportOf('archive', { clientId: '' }),
      { type: 'history-export', params: {} },
      { type: 'history-export', params: [] },
    ]) {
      const answer = await alice.post('/operations', body)
      t.match(
        { status: answer.status, code: answer.body['code'] },
        { status: 400, code: 'invalid-payload' },
        JSON.stringify(body),
      )
    }
    const bulk = { type: 'orders-bulk-status', params: { orderIds: ['1'], status: 'READY' } }
    const refused = await alice.post('/operations', bulk)
    t.match({ status: refused.status, code: refused.body['code'] }, { status: 403, code: 'forbidden' })
  })

  await t.test(
    'SEND /app/operations starts one, told on all of the user’s sessions and devices',
    async (t) => {
      const phone = await StompClient.connect(t, west.url, { login: 'alice' })
      await phone.subscribe('o', '/user/queue/operations')
      const sse = await SseReader.open(t, `${east.address}/api/v1/notifications/stream`, {
        authorization: `Bearer ${alice.token}`,
      })
      t.equal((await sse.next()).event, 'connected')
      const body = JSON.stringify(exportOf('archive', { clientId: 'by-stomp' }))
      await phone.ask('SEND', ['destination', '/app/operations'], body)
      const { body: listed } = await aliceInEast.get('/operations?limit=1')
      const started = listed.items[0]?.['id']
      const seen = await followed(phone, 'o', started)
      t.match(seen.at(-1), { state: 'SUCCEEDED', done: 250 })
      t.strictSame(await followed(watching, 'o', started), seen)
      const told: unknown[] = []
      while (told.length < seen.length) {
        const event = await sse.nextJson()
        if (event.event === 'operation' && event.data['id'] === started) told.push(event.data)
      }
      t.strictSame(told, seen)
    },
  )

  await t.test('SEND /app/operations says at /user/queue/errors what is wrong', async (t) => {
    const client = await StompClient.connect(t, west.url, { login: 'alice' })
    await client.subscribe('e', '/user/queue/errors')
    const cases: readonly (readonly [object, string])[] = [
      [{ type: 'history-export', params: { room: '' } }, 'invalid-payload'],
      [{ type: 'orders-bulk-status', params: { where: {}, status: 'READY' } }, 'forbidden'],
    ]
    for (const [body, code] of cases) {
      client.send('SEND', ['destination', '/app/operations'], JSON.stringify(body))
      t.match((await client.message('e')).payload, { code, destination: '/app/operations' })
    }
  })

  await t.test('SUBSCRIBE /user/queue/operations shows nobody else’s, and resumes', async (t) => {
    const other = await StompClient.connect(t, east.url, { login: 'bob' })
    await other.subscribe('o', '/user/queue/operations', ['history', '100'])
    const again = await StompClient.connect(t, west.url, { login: 'alice' })
    await again.subscribe('o', '/user/queue/operations', ['history', '1000'])
    t.match((await followed(again, 'o', id)).at(-1), { state: 'SUCCEEDED' })
    t.notOk(other.inbox.some(({ command }) => command === 'MESSAGE'))
  })

  await t.test('GET /operations pages through one’s own, the newest first', async (t) => {
    const { body: whole } = await aliceInEast.get('/operations')
    const pages: unknown[] = []
    let cursor = ''
    do {
      const { body } = await alice.get(`/operations?limit=1${cursor && `&cursor=${cursor}`}`)
      pages.push(...body.items)
      cursor = typeof body['cursor'] === 'string' ? body['cursor'] : ''
    } while (cursor !== '')
    t.strictSame(pages, whole.items)
    t.equal(whole.items.at(-1)?.['id'], id)
    t.notOk(whole.items.some((item) => 'params' in item))
    t.strictSame((await mallory.get('/operations')).body.items, [])
    t.equal((await ApiClient.nobody(east).get('/operations')).status, 401)
    t.equal((await alice.get('/operations?limit=0')).status, 400)
  })

  await t.test('GET /operations/{id} is for whoever started it', async (t) => {
    const { status, body } = await aliceInEast.get(`/operations/${id}`)
    t.match({ status, body }, { status: 200, body: { id, state: 'SUCCEEDED', params: { room: 'archive' } } })
    t.equal((await ApiClient.nobody(east).get(`/operations/${id}`)).status, 401)
    const admin = await ApiClient.as(east, 'root', 'admin')
    const refused = await Promise.all([
      mallory.get(`/operations/${id}`),
      admin.get(`/operations/${id}`),
      mallory.get(`/operations/${NOT_THERE}`),
    ])
    const [answer] = refused
    for (const each of refused) t.strictSame([each.status, each.text], [404, answer?.text], 'no hint')
    t.equal((await alice.get('/operations/%00')).status, 404)
  })

  await t.test('GET /operations/{id}/result answers every message once, oldest first', async (t) => {
    const { status, text, headers } = await aliceInEast.get(`/operations/${id}/result`)
    t.equal(status, 200)
    t.match(headers.get('content-type'), /^application\/x-ndjson/)
    t.equal(headers.get('content-disposition'), 'attachment; filename="history-archive.ndjson"')
    const lines = text.split('\n')
    t.equal(lines.pop(), '')
    const messages = lines.map((line) => JSON.parse(line) as Status)
    t.strictSame(
      messages.map((each) => each['content']),
      Array.from({ length: 250 }, (_, i) => `message ${i + 1}`),
    )
    t.match(messages[0], { room: 'archive', sender: 'alice', timestamp: String })
    for (const path of [id, NOT_THERE]) {
      t.equal((await mallory.get(`/operations/${path}/result`)).status, 404)
    }
    t.equal((await ApiClient.nobody(east).get(`/operations/${id}/result`)).status, 401)
  })

  await t.test(
    'DELETE /operations/{id} refuses what has ended, and what is not there for the caller',
    async (t) => {
      const ended = await alice.delete(`/operations/${id}`)
      t.match({ status: ended.status, code: ended.body['code'] }, { status: 409, code: 'conflict' })
      t.match((await alice.get(`/operations/${id}`)).body, { state: 'SUCCEEDED' })
      const refused = await Promise.all([
        mallory.delete(`/operations/${id}`),
        mallory.delete(`/operations/${NOT_THERE}`),
      ])
      for (const each of refused) t.strictSame([each.status, each.text], [404, refused[0]?.text])
      t.equal((await ApiClient.nobody(east).delete(`/operations/${id}`)).status, 401)
    },
  )

  // Its own test, since tap ends at the first pause between tests.
  await t.test('orders-bulk-status', (t) => bulkStatus(t, { west, east }))
}

/** Tells the relay of new orders of bob, as their service does. */
async function place(client: StompClient, orderIds: readonly string[]): Promise<void> {
  for (const orderId of orderIds) {
    const body = JSON.stringify({ orderId, userId: 'bob', status: 'PLACED', version: 1 })
    client.send('SEND', ['destination', '/queue/user'], body)
  }
  await client.until(() => client.inbox.filter(isPlaced).length >= orderIds.length)
  client.inbox.splice(0)
}

function isPlaced({ command, body }: StompClient['inbox'][number]): boolean {
  return command === 'MESSAGE' && Buffer.from(body).includes('"PLACED"')
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => (a < b ? -1 : 1))
}

async function bulkStatus(t: Test, { west, east }: Pick<Service, 'west' | 'east'>): Promise<void> {
  const path = '/admin/orders/bulk-status'
  const root = await ApiClient.as(west, 'admin', 'admin')
  const watching = await StompClient.connect(t, east.url, { login: 'admin' })
  await watching.subscribe('orders', '/topic/orders')
  await watching.subscribe('o', '/user/queue/operations')
  const bob = await StompClient.connect(t, east.url, { login: 'bob' })
  const orderIds = Array.from({ length: 350 }, (_, i) => `bulk-${1000 + i}`)
  await place(watching, orderIds)
  await bob.subscribe('orders', '/user/queue/orders')
  await bob.subscribe('notifications', '/user/queue/notifications')

  await t.test('POST /admin/orders/bulk-status counts with dryRun, and changes nothing', async (t) => {
    const count = async (post: object): Promise<unknown> => {
      const { status, body } = await root.post(path, { status: 'READY', dryRun: true, ...post })
      t.equal(status, 200)
      return body['count']
    }
    t.equal(await count({ where: { status: 'PLACED', userId: 'bob' } }), 350)
    t.equal(await count({ where: { status: 'READY' } }), 0)
    t.equal(await count({ where: {} }), 350)
    t.equal(await count({ orderIds: ['bulk-1000', 'bulk-1001', 'bulk-1000', 'not-there'] }), 2)
    t.equal(await count({ orderIds: ['bulk-1000'], where: { userId: 'carol' } }), 0)
    t.strictSame((await root.get('/operations')).body.items, [])
  })

  await t.test('POST /admin/orders/bulk-status changes each order once, and tells everybody', async (t) => {
    const { status, body } = await root.post(path, {
      where: { status: 'PLACED' },
      status: 'READY',
      note: 'At the door',
    })
    t.equal(status, 202)
    const seen = await followed(watching, 'o', body['operationId'])
    t.match(seen.at(-1), { state: 'SUCCEEDED', done: 350, total: 350, hasResult: false })
    for (const [client, subscription] of [
      [watching, 'orders'],
      [bob, 'orders'],
    ] as const) {
      const told: string[] = []
      while (told.length < orderIds.length) {
        const { payload } = await client.message(subscription)
        t.match(payload, { userId: 'bob', status: 'READY', note: 'At the door' })
        told.push(String(payload['orderId']))
      }
      t.strictSame(sorted(told), orderIds, 'each once')
    }
    const noted: string[] = []
    while (noted.length < orderIds.length) {
      noted.push(String(((await bob.message('notifications')).payload['data'] as Status)['orderId']))
    }
    t.strictSame(sorted(noted), orderIds)
    t.equal((await root.get(`/operations/${String(body['operationId'])}/result`)).status, 404)
  })

  await t.test('POST /admin/orders/bulk-status is for administrators, and names what is wrong', async (t) => {
    const post = { where: {}, status: 'READY' }
    t.equal((await ApiClient.nobody(east).post(path, post)).status, 401)
    for (const role of ['user', 'service'] as const) {
      const { status, body } = await (await ApiClient.as(east, 'mallory', role)).post(path, post)
      t.match({ status, code: body['code'] }, { status: 403, code: 'forbidden' })
    }
    for (const body of [
      undefined,
      {},
      { status: 'READY' },
      { where: {} },
      { ...post, status: 'LOST' },
      { orderIds: [], status: 'READY' },
      { orderIds: ['a b'], status: 'READY' },
      { orderIds: Array.from({ length: 1001 }, (_, i) => `o${i}`), status: 'READY' },
      { ...post, note: 7 },
      { ...post, where: { status: 'LOST' } },
    ]) {
      const answer = await root.post(path, body)
      t.match(
        { status: answer.status, code: answer.body['code'] },
        { status: 400, code: 'invalid-payload' },
        JSON.stringify(body)?.slice(0, 100),
      )
    }
  })

  await t.test('DELETE /operations/{id} ends one that runs, or it had ended: never both', async (t) => {
    const statuses = ['PREPARED', 'READY', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'PLACED']
    for (const [round, status] of statuses.entries()) {
      const started = await root.post(path, { where: {}, status })
      const id = String(started.body['operationId'])
      const answer = await (await ApiClient.as(east, 'admin', 'admin')).delete(`/operations/${id}`)
      const seen = await followed(watching, 'o', id)
      t.ok([202, 409].includes(answer.status))
      const end = answer.status === 202 ? 'CANCELLED' : 'SUCCEEDED'
      t.equal(seen.at(-1)?.['state'], end, `round ${round}`)
      t.match((await root.get(`/operations/${id}`)).body, { ...seen.at(-1) })
      t.equal((await root.delete(`/operations/${id}`)).status, 409)
    }
  })
}
