import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { testToken } from '../support/token.ts'
import { fits, person, say, several, type Json } from './person.ts'

/** CONTRACT, section 7: sending over HTTP, and what was written between two. */
export async function conversations(t: Test, service: Service): Promise<void> {
  await chatSend(t, service)
  await lists(t, service)
}

async function chatSend(t: Test, { west, east }: Service): Promise<void> {
  for (const pathname of ['/api/v1/chat/send', '/api/chat/send']) {
    const post = async (message: unknown, token?: string): Promise<{ status: number; body: Json }> => {
      const api = token === undefined ? ApiClient.nobody(west) : ApiClient.with(west, token)
      const { status, body } = await api.postBeside(pathname, message)
      return { status, body }
    }

    await t.test(`POST ${pathname} does what SEND /app/send does`, async (t) => {
      const [alice, bob] = [await person(t, east, 'http-alice'), await person(t, east, 'http-bob')]
      await bob.subscribe('public', '/topic/messages')
      const token = await testToken('http-alice', 'user')
      const hidden = { content: 'hidden', receiver: 'http-bob', clientId: `private ${pathname}` }
      const first = await post(hidden, token)
      t.equal(first.status, 202)
      t.ok(fits('MessageAccepted', first.body))
      const own = await alice.message('messages')
      t.equal(own.payload['id'], first.body['id'])
      t.ok(
        own.frame.headers.includes(String(first.body['eventId'])),
        'it is the place in the sender’s own stream',
      )
      t.match(await several(bob, 'messages', 1), [{ id: first.body['id'], content: 'hidden' }])
      await say(alice, '/app/send', hidden)
      t.same(await post({ ...hidden, content: 'again' }, token), first, 'a repetition over either way')
      const open = await post({ content: 'hello', sender: 'mallory' }, token)
      const { payload, frame } = await bob.message('public')
      t.match(payload, { id: open.body['id'], sender: 'http-alice', content: 'hello' })
      t.ok(frame.headers.includes(String(open.body['eventId'])))
    })

    await t.test(`POST ${pathname} is for whoever has a token, and names what is wrong`, async (t) => {
      t.match(await post({ content: 'x' }), { status: 401, body: { code: 'unauthenticated' } })
      const token = await testToken('http-alice', 'user')
      for (const body of [
        {},
        { content: '' },
        { content: 'x', receiver: 'a b' },
        { content: 'x', clientId: '' },
      ]) {
        t.match(await post(body, token), { status: 400, body: { code: 'invalid-payload' } })
      }
    })
  }
}

async function lists(t: Test, { west, east }: Service): Promise<void> {
  await t.test(
    'GET /conversations lists with whom one writes, newest first, and what is unread',
    async (t) => {
      const [alice, carl] = [await person(t, west, 'list-alice'), await person(t, west, 'list-carl')]
      await say(alice, '/app/users/list-bob/messages', { content: 'one', clientId: 'c' })
      await say(alice, '/app/users/list-bob/messages', { content: 'two' })
      await say(carl, '/app/users/list-bob/messages', { content: 'three' })
      const bob = await ApiClient.as(east, 'list-bob')
      const { status, body } = await bob.get('/conversations')
      t.equal(status, 200)
      t.match(body.items, [
        { user: 'list-carl', unread: 1, lastMessage: { content: 'three', receipt: 'STORED' } },
        { user: 'list-alice', unread: 2, lastMessage: { content: 'two', sender: 'list-alice' } },
      ])
      t.ok(body.items.every((item) => fits('Conversation', item)))
      const page = await bob.get('/conversations?limit=1')
      const rest = await bob.get(`/conversations?limit=1&cursor=${String(page.body['cursor'])}`)
      t.strictSame([...page.body.items, ...rest.body.items], body.items)
      t.notOk('cursor' in rest.body)
      const own = await (await ApiClient.as(east, 'list-alice')).get('/conversations')
      t.match(own.body.items, [{ user: 'list-bob', unread: 0, lastMessage: { content: 'two' } }])
      t.strictSame((await (await ApiClient.as(east, 'list-eve')).get('/conversations')).body.items, [])
      const reader = await person(t, west, 'list-bob')
      const [oldest] = rest.body.items.map((item) => item['lastMessage'] as Json)
      await say(reader, `/app/messages/${String(oldest?.['id'])}/read`, {})
      t.match((await bob.get('/conversations')).body.items, [{ unread: 1 }, { unread: 1 }])
    },
  )

  await t.test('GET /conversations and its messages are for whoever has a token', async (t) => {
    for (const path of ['/conversations', '/conversations/list-bob/messages']) {
      t.equal((await ApiClient.nobody(east).get(path)).status, 401)
      const eve = await ApiClient.as(east, 'list-eve')
      for (const query of ['limit=0', 'limit=201', 'limit=x', `cursor=${'x'.repeat(256)}`]) {
        const { status, body } = await eve.get(`${path}?${query}`)
        t.match({ status, code: body['code'] }, { status: 400, code: 'invalid-query' }, query)
      }
    }
  })

  await t.test('GET /conversations/{user}/messages pages both ways through what two wrote', async (t) => {
    const [alice, bob] = [await person(t, west, 'page-alice'), await person(t, east, 'page-bob')]
    for (const n of [1, 3, 5]) {
      await say(alice, '/app/users/page-bob/messages', { content: `${n}`, clientId: `c${n}` })
      await say(bob, '/app/users/page-alice/messages', { content: `${n + 1}` })
    }
    const api = await ApiClient.as(west, 'page-alice')
    const path = '/conversations/page-bob/messages'
    const get = async (query: string): Promise<{ contents: string; ids: string[]; cursor: string }> => {
      const { body } = await api.get(`${path}?${query}`)
      t.ok(body.items.every((item) => fits('PrivateMessage', item)))
      const contents = body.items.map(({ content }) => String(content)).join('')
      return { contents, ids: body.items.map(({ id }) => String(id)), cursor: String(body['cursor']) }
    }
    const all = await get('')
    t.equal(all.contents, '654321')
    const [, fifth, , , second] = all.ids
    t.equal((await get(`before=${fifth}&limit=2`)).contents, '43')
    t.equal((await get(`before=${fifth}&limit=9`)).cursor, 'undefined')
    const up = await get(`after=${second}&limit=2`)
    t.equal(up.contents, '43', 'the next ones, newest first')
    t.equal((await get(`cursor=${up.cursor}`)).contents, '65')
    const down = await get('limit=4')
    t.equal((await get(`cursor=${down.cursor}`)).contents, '21')
    t.equal((await api.get(`${path}?before=${fifth}&after=${second}`)).status, 400)
    const [first] = (await api.get(`${path}?after=${second}&limit=1`)).body.items
    t.match(first, { content: '3', clientId: 'c3' })
    const seenByBob = await (await ApiClient.as(east, 'page-bob')).get('/conversations/page-alice/messages')
    t.notOk(JSON.stringify(seenByBob.body).includes('clientId'))
    t.strictSame((await (await ApiClient.as(east, 'page-eve')).get(path)).body.items, [], 'others see theirs')
    t.equal((await api.get('/conversations/a%20b/messages')).status, 404)
  })
}
