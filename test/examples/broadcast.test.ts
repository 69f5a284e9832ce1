import t from 'tap'
import { StompClient } from '../support/stomp-client.ts'
import { useRelay } from '../support/relay.ts'
import { runExample } from './run-example.ts'

const relay = await useRelay(t)
// The token is signed with the secret that the node has made and keeps in this database.
const env = { RELAY_HTTP_URL: relay.address, DATABASE_URL: `sqlite:${relay.database}`, AUTH_JWT_SECRET: '' }

await t.test('announces to everybody with a token of the command line', async (t) => {
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  await bob.subscribe('b', '/topic/broadcasts')
  const example = runExample(t, ['broadcast.sh', 'A "title"', '-n back\nat 22:00'], env)
  const { payload } = await bob.message('b')
  t.match(payload, { title: 'A "title"', message: '-n back\nat 22:00', type: 'INFO' })
  const { code, errors } = await example.ended
  t.equal(code, 0, errors)
  t.match(JSON.parse(example.lines.items.join('')), { id: payload['id'], eventId: /^[\w-]+:1$/ })
})

await t.test('ends with the answer of the server when it is refused', async (t) => {
  const example = runExample(t, ['broadcast.sh', 'a', 'b'], { ...env, RELAY_TOKEN: 'forged' })
  t.equal((await example.ended).code, 22)
  t.match(JSON.parse(example.lines.items.join('')), { status: 401 })
})
