import type { Test } from 'tap'
import { Value } from 'typebox/value'
import { header } from '../../protocol/frame.ts'
import { PUBLIC_MESSAGE } from '../../protocol/payload/public-message.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

/** CONTRACT, section 5: messages to everybody, and the queue of refusals. */
export async function publicMessages(t: Test, { west, east }: Service): Promise<void> {
  for (const destination of ['/app/messages', '/app/send']) {
    const send = (client: StompClient, body: string): Promise<unknown> =>
      client.ask('SEND', ['destination', destination], body)

    await t.test(`SEND ${destination} reaches SUBSCRIBE /topic/messages, by its true sender`, async (t) => {
      const alice = await StompClient.connect(t, west.url, { login: 'alice' })
      const bob = await StompClient.connect(t, east.url, { login: 'bob' })
      await bob.subscribe('m', '/topic/messages')
      const body = { content: 'hello', sender: 'mallory', clientId: `public ${destination}` }
      await send(alice, JSON.stringify(body))
      const { payload, frame } = await bob.message('m')
      t.match(payload, { sender: 'alice', content: 'hello', status: 'SENT' })
      t.ok(Value.Check(PUBLIC_MESSAGE, payload))
      await send(alice, JSON.stringify(body))
      await send(alice, '{"content":"next"}')
      const next = await bob.message('m')
      t.match(next.payload, { content: 'next' }, 'a repetition is none')
      const later = await StompClient.connect(t, east.url, { login: 'bob' })
      await later.subscribe('m', '/topic/messages', [
        'last-event-id',
        header(frame.headers, 'event-id') ?? '',
      ])
      t.strictSame((await later.message('m')).payload, next.payload, 'whoever was away gets what came since')
    })

    await t.test(`SEND ${destination} names what is wrong`, async (t) => {
      const alice = await StompClient.connect(t, west.url, { login: 'alice' })
      await alice.subscribe('e', '/user/queue/errors')
      for (const body of [
        '',
        '{}',
        '[]',
        '{"content":""}',
        `{"content":"${'x'.repeat(8193)}"}`,
        '{"content":',
      ]) {
        alice.send('SEND', ['destination', destination, 'receipt', 'r'], body)
        t.match((await alice.message('e')).payload, { code: 'invalid-payload', destination, receipt: 'r' })
      }
    })
  }

  await t.test('SUBSCRIBE /topic/messages is for reading: nobody sends there but the relay', async (t) => {
    const alice = await StompClient.connect(t, east.url, { login: 'alice' })
    await alice.subscribe('e', '/user/queue/errors')
    alice.send('SEND', ['destination', '/topic/messages'], '{"content":"forged"}')
    t.match((await alice.message('e')).payload, { code: 'forbidden', destination: '/topic/messages' })
    alice.send('SUBSCRIBE', ['id', 'all', 'destination', '/topic/#'])
    t.match((await alice.message('e')).payload, { code: 'forbidden', destination: '/topic/#' })
  })

  await t.test(
    'MESSAGE /user/queue/errors is for the session that was refused, which lives on',
    async (t) => {
      const [here, there] = [
        await StompClient.connect(t, west.url, { login: 'alice' }),
        await StompClient.connect(t, east.url, { login: 'alice' }),
      ]
      for (const client of [here, there]) await client.subscribe('e', '/user/queue/errors')
      here.send('SEND', ['destination', '/app/nothing', 'receipt', 'r-1'], '{}')
      const { payload } = await here.message('e')
      t.match(payload, { code: 'unknown-destination', destination: '/app/nothing', receipt: 'r-1' })
      there.send('SEND', ['destination', '/app/nowhere'], '{}')
      t.match(
        (await there.message('e')).payload,
        { destination: '/app/nowhere' },
        'it heard nothing of the other',
      )
      await here.subscribe('m', '/topic/messages')
    },
  )

  await t.test('MESSAGE /user/queue/errors: who does not listen there is closed with an ERROR', async (t) => {
    const alice = await StompClient.connect(t, west.url, { login: 'alice' })
    alice.send('SEND', ['destination', '/queue/user', 'receipt', 'r-2'], '{}')
    const { headers } = await alice.next('ERROR')
    t.equal(header(headers, 'receipt-id'), 'r-2')
    t.match(header(headers, 'message'), /forbidden/)
    t.equal((await alice.closed).code, 1008)
  })
}
