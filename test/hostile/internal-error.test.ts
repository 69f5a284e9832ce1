import { pino } from 'pino'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { Session } from '../../src/session/session.ts'
import { connectionRig } from '../support/connection-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

await t.test('an ERROR about a fault of ours says an id and no more, and the log has the rest under it', async (t) => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const { url } = await connectionRig(t, { log })
  const receive = Object.getOwnPropertyDescriptor(Session.prototype, 'receive')!
  Session.prototype.receive = () => {
    throw new Error('the password of the database is hunter2')
  }
  t.teardown(() => Object.defineProperty(Session.prototype, 'receive', receive))
  const client = await StompClient.open(t, url)
  client.send('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  const error = await client.next('ERROR')
  const [, id] = /^internal error: ([0-9a-f-]{36})$/.exec(header(error.headers, 'message') ?? '') ?? []
  t.type(id, 'string')
  t.notMatch(Buffer.from(error.body).toString(), 'hunter2')
  t.equal((await client.closed).code, 1011)
  const line = lines.find((each) => each.includes(id!))
  t.match(JSON.parse(line!), { event: 'connection-fault', err: { message: /hunter2/ } })
}) // prettier-ignore
