import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'
import { connect, heard, send, subscribe } from './room-client.ts'

const PARTS = ['', '.typing', '.read', '.presence'] as const

/** CONTRACT, sections 5 and 7: rooms that are for their members. `made-public` is a public one. */
export async function privateRooms(t: Test, { west, east }: Service): Promise<void> {
  const alice = await ApiClient.as(west, 'alice')
  const bobHere = await ApiClient.as(west, 'bob')
  const bobThere = await ApiClient.as(east, 'bob')
  const service = await ApiClient.as(east, 'shop', 'service')
  const admin = await ApiClient.as(east, 'root', 'admin')
  const writer = await connect(t, west.url, 'alice')
  const bob = await connect(t, east.url, 'bob')
  const before = await connect(t, east.url, 'bob')

  await t.test('POST /rooms takes a private room from those who followed its name before', async (t) => {
    for (const part of PARTS) t.equal(await subscribe(before, `/topic/rooms.cellar${part}`), 'done')
    t.equal(await subscribe(writer, '/topic/rooms.cellar'), 'done')
    t.equal((await alice.post('/rooms', { name: 'cellar', visibility: 'private' })).status, 201)
    t.equal(await send(writer, '/app/rooms/cellar/messages', { content: 'secret one' }), 'done')
    t.match((await writer.message('/topic/rooms.cellar')).payload, { type: 'created', by: 'alice' })
    t.match((await writer.message('/topic/rooms.cellar')).payload, { content: 'secret one' })
    for (const _ of PARTS) {
      t.match((await before.message('errors')).payload, { code: 'forbidden', destination: /cellar/ })
    }
    t.notMatch(heard(before), 'secret')
  })

  await t.test('a private room is not there for others, by any path', async (t) => {
    for (const part of PARTS) {
      for (const headers of [[], ['history', '9'], ['last-event-id', 'x:1']]) {
        t.equal(await subscribe(bob, `/topic/rooms.cellar${part}`, headers), 'forbidden', part)
      }
    }
    for (const what of ['history', 'participants']) {
      t.equal(await subscribe(bob, `/app/rooms/cellar/${what}`), 'forbidden', what)
    }
    t.equal(await send(bob, '/app/rooms/cellar/messages', { content: 'x' }), 'forbidden')
    t.equal(await send(bob, '/app/rooms/cellar/typing', { typing: true }), 'forbidden')
    t.equal(await send(bob, '/app/rooms/cellar/read', { eventId: 'x:1' }), 'forbidden')
    const id = String((await alice.get('/rooms/cellar/messages')).body.items[0]?.['id'])
    for (const who of [bobThere, bobHere, service]) {
      for (const rest of ['', '/messages', '/participants', '/members', '/members/alice', '/members/bob']) {
        const { status, text } = await who.get(`/rooms/cellar${rest}`)
        t.equal(status, 404, `${who.name} ${rest}`)
        t.notMatch(text, 'alice')
      }
      t.equal((await who.put('/rooms/cellar/members/bob')).status, 404)
      t.equal((await who.delete('/rooms/cellar/members/alice')).status, 404)
      t.equal((await who.patch(`/rooms/cellar/messages/${id}`, { content: 'x' })).status, 404)
      t.equal((await who.delete(`/rooms/cellar/messages/${id}`)).status, 404)
    }
    t.equal((await admin.get('/rooms/cellar/messages')).status, 404, 'not for administrators either')
  })

  await t.test(
    'PUT /rooms/{room}/members/{user} lets somebody in, by the owner or an administrator',
    async (t) => {
      t.match(await alice.put('/rooms/cellar/members/bob'), {
        status: 200,
        body: { user: 'bob', role: 'member' },
      })
      t.equal((await alice.put('/rooms/cellar/members/bob')).status, 200, 'again')
      t.equal((await admin.put('/rooms/cellar/members/carol')).status, 200)
      t.equal((await bobThere.put('/rooms/cellar/members/dave')).status, 403)
      t.equal((await alice.put('/rooms/cellar/members/a%20b')).status, 404)
      t.equal((await alice.put('/rooms/made-public/members/bob')).status, 409)
      t.equal((await alice.put('/rooms/never-made/members/bob')).status, 404)
      t.match(await bobThere.get('/rooms/cellar/members/alice'), { status: 200, body: { role: 'owner' } })
      t.equal((await bobThere.get('/rooms/cellar/members/dave')).status, 404)
      const members = (await bobThere.get('/rooms/cellar/members?limit=2')).body
      t.match(members, { items: [{ user: 'alice' }, { user: 'bob' }], cursor: 'bob' })
      t.match(await bobThere.get('/rooms/cellar/members?cursor=bob'), {
        body: { items: [{ user: 'carol' }] },
      })
      t.match(await bobThere.get('/rooms/cellar'), {
        body: { visibility: 'private', unread: 1, owner: 'alice' },
      })
      t.same((await alice.get('/rooms/made-public/members')).body.items, [])
    },
  )

  await t.test('a member has all of it', async (t) => {
    for (const part of PARTS) {
      t.equal(await subscribe(bob, `/topic/rooms.cellar${part}`, part === '' ? ['history', '9'] : []), 'done')
    }
    t.match((await bob.message('/topic/rooms.cellar')).payload, { type: 'created' })
    t.match((await bob.message('/topic/rooms.cellar')).payload, { content: 'secret one' })
    await send(writer, '/app/rooms/cellar/messages', { content: 'secret two' })
    const { frame, payload } = await bob.message('/topic/rooms.cellar')
    t.match(payload, { content: 'secret two' })
    await send(writer, '/app/rooms/cellar/typing', { typing: true })
    t.same((await bob.message('/topic/rooms.cellar.typing')).payload, { user: 'alice', typing: true })
    await send(bob, '/app/rooms/cellar/read', { eventId: header(frame.headers, 'event-id') })
    t.match((await bob.message('/topic/rooms.cellar.read')).payload, { user: 'bob' })
    t.equal((await bobThere.get('/rooms/cellar')).body['unread'], 0)
    t.equal(await subscribe(bob, '/app/rooms/cellar/history'), 'done')
    t.match((await bob.message('/app/rooms/cellar/history')).payload, [
      { content: 'secret two' },
      { content: 'secret one' },
    ])
    const present = async () =>
      (await alice.get('/rooms/cellar/participants')).body.items.map(({ user }) => user)
    await until(async () => (await present()).join() === 'alice,bob')
    t.match(
      (await alice.patch(`/rooms/cellar/messages/${String(payload['id'])}`, { content: 'edited two' }))
        .status,
      200,
    )
    t.match((await bob.message('/topic/rooms.cellar')).payload, { type: 'edited', content: 'edited two' })
  })

  await t.test('no wildcard hears of it', async (t) => {
    const shop = await StompClient.connect(t, east.url, { login: 'orders' })
    for (const pattern of [
      '/topic/#',
      '/topic/rooms.*',
      '/topic/rooms.#',
      '/topic/rooms.cellar.#',
      '/topic/*.cellar',
    ]) {
      await shop.subscribe(pattern, pattern)
    }
    await send(writer, '/app/rooms/cellar/typing', { typing: false })
    await send(writer, '/app/rooms/cellar/messages', { content: 'secret three' })
    t.match((await bob.message('/topic/rooms.cellar')).payload, { content: 'secret three' })
    await send(writer, '/app/rooms/open/messages', { content: 'open' })
    for (const pattern of ['/topic/#', '/topic/rooms.*']) {
      // Who comes and goes meanwhile is told there, too.
      await shop.next('MESSAGE', ({ headers, body }) => {
        return header(headers, 'subscription') === pattern && Buffer.from(body).includes('"open"')
      })
    }
    t.notMatch(heard(shop), /secret|cellar|typing/)
  })

  await t.test('DELETE /rooms/{room}/members/{user} takes all of it at once, on every node', async (t) => {
    t.equal((await bobThere.delete('/rooms/cellar/members/carol')).status, 403)
    t.equal((await alice.delete('/rooms/cellar/members/alice')).status, 409, 'the owner stays')
    t.equal((await alice.delete('/rooms/cellar/members/dave')).status, 404)
    t.equal((await alice.delete('/rooms/made-public/members/bob')).status, 409)
    // What he was refused before must not pass for what he loses now.
    bob.inbox.splice(0)
    t.equal((await alice.delete('/rooms/cellar/members/bob')).status, 204)
    await send(writer, '/app/rooms/cellar/messages', { content: 'after bob' })
    for (const _ of PARTS) {
      t.match((await bob.message('errors')).payload, { code: 'forbidden', destination: /cellar/ })
    }
    t.notMatch(heard(bob), 'after bob')
    t.equal(await subscribe(bob, '/topic/rooms.cellar', ['history', '9']), 'forbidden')
    t.equal((await bobThere.get('/rooms/cellar/messages')).status, 404)
    t.equal(await send(bob, '/app/rooms/cellar/messages', { content: 'x' }), 'forbidden')
    const present = async () =>
      (await alice.get('/rooms/cellar/participants')).body.items.map(({ user }) => user)
    await until(async () => (await present()).join() === 'alice')
    const carol = await ApiClient.as(east, 'carol')
    t.equal((await carol.delete('/rooms/cellar/members/carol')).status, 204, 'and anybody may leave')
    t.equal((await carol.get('/rooms/cellar')).status, 404)
  })
}
