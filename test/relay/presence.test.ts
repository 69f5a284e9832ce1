import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

// One node with the in-process broker and SQLite. What several nodes do is in nodes.test.ts.

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET, NODE_ID: 'alone' })
const admin = { authorization: `Bearer ${await testToken('root', 'admin')}` }
const user = { authorization: `Bearer ${await testToken('carl', 'user')}` }

const connect = (login: string): Promise<StompClient> => StompClient.connect(t, relay.url, { login })
const get = async (path: string, headers: Record<string, string> = admin): Promise<Response> =>
  fetch(`${relay.address}/api/v1${path}`, { headers })
const json = async (path: string): Promise<any> => (await get(path)).json()

await t.test('probe', async (t) => {
  const alice = await connect('alice')
  await alice.subscribe('p', '/topic/presence')
  await alice.subscribe('rp', '/topic/rooms.tea.presence')
  const bob = await connect('bob')
  t.comment(JSON.stringify((await alice.message('p')).payload))
  await bob.subscribe('r', '/topic/rooms.tea')
  t.comment(JSON.stringify((await alice.message('rp')).payload))
  await bob.subscribe('w', '/app/rooms/tea/participants')
  t.comment(Buffer.from((await bob.next('MESSAGE')).body).toString())
  await bob.subscribe('w2', '/app/presence')
  t.comment(Buffer.from((await bob.next('MESSAGE')).body).toString())
  t.comment(JSON.stringify(await json('/sessions?limit=1'), null, 1))
  t.comment(JSON.stringify(await json('/nodes'), null, 1))
  t.comment(JSON.stringify(await json('/rooms/tea/participants'), null, 1))
  t.comment(JSON.stringify(await json('/notifications/status'), null, 1))
  await bob.close()
  t.comment(JSON.stringify((await alice.message('rp')).payload))
  t.comment(JSON.stringify((await alice.message('p')).payload))
  t.comment(header([], 'x') ?? '', user)
})
