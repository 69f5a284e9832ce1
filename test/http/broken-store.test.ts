import Database from 'libsql'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

// What breaks here is the database's tables, under a node that serves. It cannot show a disk that is
// full or slow, nor a database server that is away: there is none yet.
const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
await alice.subscribe('m', '/topic/messages')
await alice.subscribe('e', '/user/queue/errors')

/** Waits for the node's own writers in this thread's turns, without which they would not get on. */
async function change(sql: string): Promise<void> {
  const database = new Database(relay.database)
  database.exec('pragma busy_timeout = 0')
  await until(() => {
    try {
      database.exec(sql)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return false
      throw error
    }
  })
  database.close()
}

async function broadcast(): Promise<Response> {
  return fetch(`${relay.address}/api/v1/admin/broadcasts`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await testToken('root', 'admin')}`,
      'content-type': 'application/json',
    },
    body: '{"title":"a","message":"b"}',
  })
}

await t.test('answers 503 without internals while the store fails', async (t) => {
  await change('alter table broadcasts rename to broadcasts_away')
  const response = await broadcast()
  t.equal(response.status, 503)
  const text = await response.text()
  t.match(JSON.parse(text), { status: 503, code: 'store-unavailable', title: 'Service Unavailable' })
  t.notMatch(text, /sql|table|insert|broadcasts/i)
})

await t.test('tells a STOMP client the same, without internals, and its session lives on', async (t) => {
  await change('alter table messages rename to messages_away')
  alice.send('SEND', ['destination', '/app/messages', 'receipt', 'r'], '{"content":"lost"}')
  const { payload } = await alice.message('e')
  t.match(payload, { code: 'store-unavailable', receipt: 'r', destination: '/app/messages' })
  t.notMatch(JSON.stringify(payload), /sql|table|insert/i)
})

await t.test('works again once the store does', async (t) => {
  await change('alter table broadcasts_away rename to broadcasts')
  await change('alter table messages_away rename to messages')
  t.equal((await broadcast()).status, 202)
  await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"kept"}')
  const { frame, payload } = await alice.message('m')
  t.equal(payload['content'], 'kept')
  t.match(header(frame.headers, 'event-id'), /:1$/, 'what failed took no offset')
})
