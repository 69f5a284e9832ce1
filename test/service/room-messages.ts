import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { connect, send, subscribe } from './room-client.ts'

/** SEND to a room, and its histories. */
export async function messages(t: Test, { west, east }: Service): Promise<void> {
  const alice = await connect(t, west.url, 'alice')
  const bob = await connect(t, east.url, 'bob')
  const http = await ApiClient.as(east, 'bob')
  const to = '/app/rooms/talk/messages'
  await subscribe(bob, '/topic/rooms.talk')

  await t.test('SEND /app/rooms/{room}/messages repeats nothing, and answers what is there', async (t) => {
    await send(alice, to, { content: 'm1', clientId: 'c-1' })
    await send(alice, to, { content: 'm1 again', clientId: 'c-1' })
    const { payload } = await bob.message('/topic/rooms.talk')
    t.match(payload, { content: 'm1', clientId: 'c-1', room: 'talk', sender: 'alice' })
    await send(alice, to, { content: 'm2', replyTo: payload['id'] })
    t.match((await bob.message('/topic/rooms.talk')).payload, {
      content: 'm2',
      replyTo: String(payload['id']),
    })
    await send(alice, '/app/rooms/elsewhere/messages', { content: 'x' })
    const elsewhere = String((await http.get('/rooms/elsewhere/messages')).body.items[0]?.['id'])
    for (const replyTo of ['none', elsewhere]) {
      t.equal(await send(alice, to, { content: 'm', replyTo }), 'invalid-payload', replyTo)
    }
    t.equal(
      await send(alice, '/app/rooms/fresh/messages', { content: 'm', replyTo: 'none' }),
      'invalid-payload',
    )
    t.equal((await http.get('/rooms/fresh')).status, 404, 'and no room was made by it')
    for (const bad of ['{}', '{"content":""}', '{"content":7}', 'x', JSON.stringify({ content: 'x'.repeat(8193) })])
      t.equal(await send(alice, to, bad), 'invalid-payload') // prettier-ignore
    t.equal(await send(alice, '/app/rooms/a.b/messages', { content: 'x' }), 'invalid-destination')
  })

  await t.test('GET /rooms/{room}/messages and /app/rooms/{room}/history page both ways', async (t) => {
    for (let i = 3; i <= 7; i += 1) await send(alice, to, { content: `m${i}` })
    const page = async (query: string) => (await http.get(`/rooms/talk/messages${query}`)).body
    const texts = (items: readonly Readonly<Record<string, unknown>>[]) => items.map((m) => m['content'])
    const newest = await page('?limit=3')
    t.same(texts(newest.items), ['m7', 'm6', 'm5'])
    const older = await page(`?limit=3&before=${String(newest['cursor'])}`)
    t.same(texts(older.items), ['m4', 'm3', 'm2'])
    t.same(texts((await page(`?limit=3&cursor=${String(older['cursor'])}`)).items), ['m1'])
    const from = String(older.items[2]?.['id'])
    const newer = await page(`?limit=2&after=${from}`)
    t.same(texts(newer.items), ['m3', 'm4'])
    t.same(texts((await page(`?limit=9&after=${from}&cursor=${String(newer['cursor'])}`)).items), [
      'm5',
      'm6',
      'm7',
    ])
    for (const query of ['?limit=0', '?limit=201', '?before=', `?after=${'x'.repeat(129)}`]) {
      t.equal((await http.get(`/rooms/talk/messages${query}`)).status, 400, query)
    }
    const history = async (...headers: string[]) => {
      t.equal(await subscribe(bob, '/app/rooms/talk/history', headers), 'done')
      const { payload } = await bob.message('/app/rooms/talk/history')
      await bob.ask('UNSUBSCRIBE', ['id', '/app/rooms/talk/history'])
      return texts(payload as unknown as Record<string, unknown>[])
    }
    t.same(await history('limit', '2'), ['m7', 'm6'])
    t.same(await history('before', from), ['m1'])
    t.same(await history('after', from, 'limit', '2'), ['m3', 'm4'])
    t.equal(await subscribe(bob, '/app/rooms/talk/history', ['limit', '0']), 'invalid-header')
  })
}

/** Edits and deletions. */
export async function changes(t: Test, { west, east }: Service): Promise<void> {
  const alice = await ApiClient.as(west, 'alice')
  const bob = await ApiClient.as(west, 'bob')
  const admin = await ApiClient.as(west, 'root', 'admin')
  const writer = await connect(t, west.url, 'alice')
  const reader = await connect(t, east.url, 'bob')
  const topic = '/topic/rooms.edits'
  await subscribe(reader, topic)
  const write = async (content: string): Promise<string> => {
    await send(writer, '/app/rooms/edits/messages', { content })
    return String((await reader.message(topic)).payload['id'])
  }

  await t.test(
    'PATCH /rooms/{room}/messages/{id} changes one’s own message, live and in the history',
    async (t) => {
      const id = await write('frist')
      const path = `/rooms/edits/messages/${id}`
      t.match(await bob.patch(path, { content: 'mine' }), { status: 403, body: { code: 'forbidden' } })
      t.match(await admin.patch(path, { content: 'mine' }), { status: 403 }, 'nobody puts words in a mouth')
      t.equal((await ApiClient.nobody(west).patch(path, { content: 'mine' })).status, 401)
      for (const body of [
        undefined,
        {},
        { content: '' },
        { content: 'x'.repeat(8193) },
        { content: 'a\0b' },
      ]) {
        t.match(await alice.patch(path, body), { status: 400, body: { code: 'invalid-payload' } })
      }
      t.match(await alice.patch(path, { content: 'first' }), {
        status: 200,
        body: { id, content: 'first', editedAt: /Z$/ },
      })
      const { payload } = await reader.message(topic)
      t.match(payload, { type: 'edited', id, room: 'edits', content: 'first', by: 'alice', editedAt: /Z$/ })
      const { items } = (await bob.get('/rooms/edits/messages')).body
      t.match(items, [{ id, content: 'first', editedAt: String(payload['editedAt']) }])
      for (const wrong of [
        '/rooms/edits/messages/none',
        `/rooms/elsewhere/messages/${id}`,
        `/rooms/no-room/messages/${id}`,
      ]) {
        t.match(
          await alice.patch(wrong, { content: 'x' }),
          { status: 404, body: { code: 'not-found' } },
          wrong,
        )
      }
    },
  )

  await t.test(
    'DELETE /rooms/{room}/messages/{id} removes one’s own message, an administrator any',
    async (t) => {
      const [own, other] = [await write('own'), await write('other')]
      t.match(await bob.delete(`/rooms/edits/messages/${own}`), { status: 403 })
      t.equal((await alice.delete(`/rooms/edits/messages/${own}`)).status, 204)
      t.match((await reader.message(topic)).payload, { type: 'deleted', id: own, room: 'edits', by: 'alice' })
      t.equal((await admin.delete(`/rooms/edits/messages/${other}`)).status, 204)
      t.match((await reader.message(topic)).payload, { type: 'deleted', id: other, by: 'root' })
      t.equal((await alice.delete(`/rooms/edits/messages/${own}`)).status, 404)
      t.equal((await alice.patch(`/rooms/edits/messages/${own}`, { content: 'x' })).status, 404)
      const { items } = (await bob.get('/rooms/edits/messages')).body
      t.notOk(items.some(({ id }) => id === own || id === other))
      t.equal((await ApiClient.nobody(west).delete(`/rooms/edits/messages/${own}`)).status, 401)
    },
  )
}
