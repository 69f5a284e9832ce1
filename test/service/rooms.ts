import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { privateRooms } from './private-rooms.ts'
import { connect, send, subscribe } from './room-client.ts'
import { changes, messages } from './room-messages.ts'

/** CONTRACT, sections 5 and 7: rooms. */
export async function rooms(t: Test, service: Service): Promise<void> {
  await t.test('rooms are made by POST or by their first message', (t) => making(t, service))
  await t.test('messages of a room', (t) => messages(t, service))
  await t.test('edits and deletions', (t) => changes(t, service))
  await t.test('how far somebody has read, and who types', (t) => readingAndTyping(t, service))
  await t.test('private rooms and their members', (t) => privateRooms(t, service))
}

async function making(t: Test, { west, east }: Service): Promise<void> {
  const alice = await ApiClient.as(west, 'alice')
  const bob = await ApiClient.as(east, 'bob')

  await t.test('POST /rooms makes a room that GET /rooms and GET /rooms/{room} show elsewhere', async (t) => {
    const made = await alice.post('/rooms', { name: 'made-public', visibility: 'public' })
    t.match(made, {
      status: 201,
      body: { name: 'made-public', visibility: 'public', owner: 'alice', unread: 0, createdAt: /Z$/ },
    })
    t.equal((await alice.post('/rooms', { name: 'made-private', visibility: 'private' })).status, 201)
    t.match(await bob.get('/rooms/made-public'), { status: 200, body: { owner: 'alice' } })
    const names = async (who: ApiClient) =>
      (await who.get('/rooms?limit=200')).body.items.map((r) => r['name'])
    t.ok((await names(bob)).includes('made-public'))
    t.notOk((await names(bob)).includes('made-private'))
    t.ok((await names(alice)).includes('made-private'))
    const first = await alice.get('/rooms?limit=1')
    t.equal(first.body.items.length, 1)
    const cursor = String(first.body['cursor'])
    const rest = await alice.get(`/rooms?limit=200&cursor=${encodeURIComponent(cursor)}`)
    t.notOk(rest.body.items.some((r) => r['name'] === first.body.items[0]?.['name']))
  })

  await t.test('POST /rooms twice: the same by clientId, otherwise the name is taken', async (t) => {
    const post = { name: 'made-once', visibility: 'private', clientId: 'c-1' }
    const [first, again] = [await alice.post('/rooms', post), await alice.post('/rooms', post)]
    t.same(again.body, first.body)
    t.equal(again.status, 201)
    for (const who of [alice, bob]) {
      const { status, body } = await who.post('/rooms', { name: 'made-once', visibility: 'public' })
      t.match({ status, body }, { status: 409, body: { code: 'conflict', detail: 'the name is taken' } })
    }
  })

  await t.test('POST /rooms and GET /rooms name what is wrong, and want a token', async (t) => {
    for (const body of [undefined, {}, { name: 'a b' }, { name: 'x', visibility: 'secret' }, { name: '' }, { name: 'x'.repeat(65) }]) {
      t.match(await alice.post('/rooms', body), { status: 400, body: { code: 'invalid-payload' } })
    } // prettier-ignore
    t.match(await alice.get('/rooms?limit=0'), { status: 400 })
    const nobody = ApiClient.nobody(east)
    t.equal((await nobody.post('/rooms', { name: 'x' })).status, 401)
    for (const path of ['/rooms', '/rooms/made-public', '/rooms/made-public/messages', '/rooms/made-public/members'])
      t.equal((await nobody.get(path)).status, 401, path) // prettier-ignore
    for (const path of [
      '/rooms/never-made',
      '/rooms/a.b',
      '/rooms/never-made/messages',
      '/rooms/never-made/members',
    ]) {
      t.match(await alice.get(path), { status: 404, body: { code: 'not-found' } }, path)
    }
  })

  await t.test('SEND /app/rooms/{room}/messages makes an unknown room a public one', async (t) => {
    const sender = await connect(t, west.url, 'alice')
    const reader = await connect(t, east.url, 'bob')
    t.equal(await subscribe(reader, '/topic/rooms.by-message'), 'done')
    t.equal(await send(sender, '/app/rooms/by-message/messages', { content: 'first' }), 'done')
    t.match((await reader.message('/topic/rooms.by-message')).payload, { content: 'first', sender: 'alice' })
    t.match(await bob.get('/rooms/by-message'), {
      body: { visibility: 'public', owner: 'alice', unread: 1, lastMessage: { content: 'first' } },
    })
    t.equal((await bob.post('/rooms', { name: 'by-message', visibility: 'private' })).status, 409)
  })
}

async function readingAndTyping(t: Test, { west, east }: Service): Promise<void> {
  const alice = await connect(t, west.url, 'alice')
  const bob = await connect(t, east.url, 'bob')
  const http = await ApiClient.as(east, 'bob')
  for (const part of ['', '.read', '.typing']) await subscribe(bob, `/topic/rooms.reads${part}`)
  const ids: string[] = []
  for (let i = 0; i < 3; i += 1) {
    await send(alice, '/app/rooms/reads/messages', { content: `m${i}` })
    ids.push(header((await bob.message('/topic/rooms.reads')).frame.headers, 'event-id') ?? '')
  }
  const unread = async () => (await http.get('/rooms/reads')).body

  await t.test('SEND /app/rooms/{room}/read is told on, stored, and counts what is unread', async (t) => {
    t.match(await unread(), { unread: 3, readEventId: undefined })
    const read = (eventId: unknown, room = 'reads') => send(bob, `/app/rooms/${room}/read`, { eventId })
    t.equal(await read(ids[1]), 'done')
    t.same((await bob.message('/topic/rooms.reads.read')).payload, { user: 'bob', eventId: ids[1] })
    t.match(await unread(), { unread: 1, readEventId: ids[1] })
    t.equal(await read(ids[0]), 'done', 'nobody unreads')
    t.match(await unread(), { unread: 1, readEventId: ids[1] })
    t.equal(await read(ids[2]), 'done')
    t.same((await bob.message('/topic/rooms.reads.read')).payload, { user: 'bob', eventId: ids[2] })
    const listed = (await http.get('/rooms?limit=200')).body.items.find((r) => r['name'] === 'reads')
    t.match(listed, { unread: 0, readEventId: ids[2], lastMessage: { content: 'm2' } })
    await subscribe(alice, '/topic/rooms.elsewhere', ['history', '1'])
    const other = header((await alice.message('/topic/rooms.elsewhere')).frame.headers, 'event-id')
    const ahead = String(ids[2]).replace(/\d+$/, '999')
    for (const eventId of ['', 'x', 7, undefined, other, ahead, String(ids[2]).replace(/\d+$/, '0')]) {
      t.equal(await read(eventId), 'invalid-payload', String(eventId))
    }
    t.equal(await read(ids[2], 'no-such-room'), 'not-found')
  })

  await t.test('SEND /app/rooms/{room}/typing is told on and never stored', async (t) => {
    for (const typing of [true, false]) {
      t.equal(await send(alice, '/app/rooms/reads/typing', { typing }), 'done')
      t.same((await bob.message('/topic/rooms.reads.typing')).payload, { user: 'alice', typing })
    }
    for (const bad of ['{}', '{"typing":"yes"}', 'x']) {
      t.equal(await send(alice, '/app/rooms/reads/typing', bad), 'invalid-payload', bad)
    }
    t.equal(await subscribe(alice, '/topic/rooms.reads.typing', ['history', '9']), 'not-a-stream')
    t.equal(await send(alice, '/app/rooms/reads/typing', { typing: true }), 'done')
    t.same((await alice.message('/topic/rooms.reads.typing')).payload, { user: 'alice', typing: true })
  })
}
