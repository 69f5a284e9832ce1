import t from 'tap'
import { StompClient } from '../support/stomp-client.ts'
import { useRelay } from '../support/relay.ts'
import { runExample } from './run-example.ts'

const relay = await useRelay(t)
const env = { RELAY_URL: relay.url }

await t.test('says what it is given to everybody, and prints what arrives', async (t) => {
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  await bob.subscribe('m', '/topic/messages')
  const example = runExample(t, ['subscriber.ts', 'hello', 'from here'], env)
  t.match((await bob.message('m')).payload, { sender: 'alice', content: 'hello from here' })
  t.same(await example.lines.atLeast(3), ['connected as alice', 'subscribed', 'alice: hello from here'])
  await bob.ask('SEND', ['destination', '/app/messages'], '{"content":"hello, alice"}')
  t.equal(await example.lines.at(3), 'bob: hello, alice')
  example.interrupt()
  t.same(await example.ended, { code: 0, errors: '' })
})

await t.test('prints the orders of its user alone', async (t) => {
  const example = runExample(t, ['subscriber.ts'], { ...env, RELAY_LOGIN: 'bob' })
  t.same(await example.lines.atLeast(2), ['connected as bob', 'subscribed'])
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  for (const userId of ['alice', 'bob']) {
    const order = { orderId: `${userId}-1`, userId, status: 'PLACED' }
    await service.ask('SEND', ['destination', '/queue/user'], JSON.stringify(order))
  }
  t.equal(await example.lines.at(2), 'order bob-1 is PLACED')
})

await t.test('ends with the reason when it is refused', async (t) => {
  const example = runExample(t, ['subscriber.ts'], { ...env, RELAY_PASSCODE: 'wrong' })
  t.same(await example.ended, { code: 1, errors: 'refused: authentication failed\n' })
})
