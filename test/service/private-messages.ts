import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { testToken } from '../support/token.ts'
import { fits, person, say, several, statuses } from './person.ts'

/** CONTRACT, section 5: private messages and their receipts. */
export async function privateMessages(t: Test, service: Service): Promise<void> {
  await sending(t, service)
  await reading(t, service)
  await delivering(t, service)
}

async function sending(t: Test, { west, east }: Service): Promise<void> {
  for (const [destination, extra] of [
    ['/app/users/bob-1/messages', { to: '1' }],
    ['/app/messages', { to: '2', receiver: 'bob-2' }],
    ['/app/send', { to: '3', receiver: 'bob-3', sender: 'mallory' }],
  ] as const) {
    const row = `SEND ${destination}${'receiver' in extra ? ' with a receiver' : ''}`
    await t.test(`${row} reaches the receiver and the sender’s other devices`, async (t) => {
      const [alice, phone] = [
        await person(t, west, `alice-${extra.to}`),
        await person(t, east, `alice-${extra.to}`),
      ]
      const [bob, eve] = [await person(t, east, `bob-${extra.to}`), await person(t, east, `eve-${extra.to}`)]
      await say(alice, destination, { content: 'psst', clientId: destination, ...extra })
      const [got] = await several(bob, 'messages', 1)
      t.match(got, {
        sender: `alice-${extra.to}`,
        receiver: `bob-${extra.to}`,
        content: 'psst',
        status: 'SENT',
      })
      t.ok(fits('PrivateMessage', got))
      t.notOk(got && 'clientId' in got, 'it is the sender’s own affair')
      for (const device of [alice, phone]) {
        t.match(await several(device, 'messages', 1), [{ id: got?.['id'], clientId: destination }])
        const [stored] = await several(device, 'receipts', 1)
        t.match(stored, { messageId: got?.['id'], status: 'STORED' })
        t.ok(fits('MessageReceipt', stored))
      }
      await say(alice, destination, { content: 'again', clientId: destination, ...extra })
      await say(alice, `/app/users/eve-${extra.to}/messages`, { content: 'to eve' })
      t.match(await several(eve, 'messages', 1), [{ content: 'to eve' }], 'eve gets what is hers')
      t.match(await several(alice, 'messages', 1), [{ content: 'to eve' }], 'a repetition is none')
    })

    await t.test(`${row} names what is wrong`, async (t) => {
      const alice = await person(t, west, `alice-${extra.to}`)
      for (const body of [{}, { content: '' }, { content: 'x'.repeat(8193) }, { content: 1 }]) {
        alice.send('SEND', ['destination', destination], JSON.stringify({ ...extra, ...body }))
        t.match((await alice.message('errors')).payload, { code: 'invalid-payload', destination })
      }
      alice.send('SEND', ['destination', destination], '')
      t.match((await alice.message('errors')).payload, { code: 'invalid-payload', destination })
    })
  }

  await t.test('SEND /app/users/{user}/messages is for names that somebody can have', async (t) => {
    const alice = await person(t, west, 'send-alice')
    for (const name of ['a b', 'x'.repeat(65), 'a%2Fb']) {
      const destination = `/app/users/${name}/messages`
      alice.send('SEND', ['destination', destination], '{"content":"hi"}')
      t.match((await alice.message('errors')).payload, { code: 'invalid-destination', destination })
    }
    alice.send('SEND', ['destination', '/app/messages'], '{"content":"hi","receiver":"a b"}')
    t.match((await alice.message('errors')).payload, { code: 'invalid-payload' })
  })

  await t.test(
    'SEND /app/users/{user}/messages to nobody yet waits, and to oneself comes once',
    async (t) => {
      const alice = await person(t, west, 'self-alice')
      await say(alice, '/app/users/self-nobody/messages', { content: 'welcome' })
      await say(alice, '/app/users/self-alice/messages', { content: 'note' })
      await say(alice, '/app/users/self-alice/messages', { content: 'second note' })
      const contents = (await several(alice, 'messages', 3)).map(({ content }) => content)
      t.strictSame(contents, ['welcome', 'note', 'second note'])
      const nobody = await StompClient.open(t, east.url)
      const token = await testToken('self-nobody', 'user')
      nobody.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
      await nobody.next('CONNECTED')
      await nobody.subscribe('messages', '/user/queue/messages', ['history', '10'])
      t.match((await nobody.message('messages')).payload, { content: 'welcome', sender: 'self-alice' })
    },
  )

  await t.test('SUBSCRIBE /user/queue/messages and /user/queue/receipts are one’s own', async (t) => {
    const eve = await person(t, east, 'send-eve')
    for (const queue of ['messages', 'receipts', 'errors']) {
      const destination = `/user/send-bob/queue/${queue}`
      eve.send('SUBSCRIBE', ['id', `x-${queue}`, 'destination', destination])
      t.match((await eve.message('errors')).payload, { code: 'forbidden', destination })
      eve.send('SEND', ['destination', destination], '{}')
      t.match((await eve.message('errors')).payload, { code: 'forbidden', destination })
    }
  })
}

async function reading(t: Test, { west, east }: Service): Promise<void> {
  await t.test(
    'SEND /app/messages/{id}/read tells the sender, once, that it was delivered and read',
    async (t) => {
      const [alice, bob] = [await person(t, west, 'read-alice'), await person(t, east, 'read-bob')]
      await say(alice, '/app/users/read-bob/messages', { content: 'read me' })
      const [got] = await several(bob, 'messages', 1)
      const destination = `/app/messages/${String(got?.['id'])}/read`
      await bob.ask('SEND', ['destination', destination])
      await say(bob, destination, {})
      t.equal(await statuses(alice, 3), 'STORED,DELIVERED,READ')
      await say(alice, '/app/users/read-bob/messages', { content: 'next' })
      t.match(await several(alice, 'receipts', 1), [{ status: 'STORED' }], 'nothing lies between')
    },
  )

  await t.test('SEND /app/messages/{id}/read is for the receiver alone, and hints at nothing', async (t) => {
    const [alice, bob] = [await person(t, west, 'read-alice'), await person(t, west, 'read-bob')]
    const eve = await person(t, east, 'read-eve')
    await say(alice, '/app/users/read-bob/messages', { content: 'secret' })
    const [got] = await several(bob, 'messages', 1)
    const faults: unknown[] = []
    for (const [client, id] of [
      [eve, String(got?.['id'])],
      [alice, String(got?.['id'])],
      [eve, 'no-such-message'],
    ] as const) {
      client.send('SEND', ['destination', `/app/messages/${id}/read`], '{}')
      const { code, message } = (await client.message('errors')).payload
      faults.push({ code, message })
    }
    t.strictSame(
      faults,
      [1, 2, 3].map(() => ({ code: 'not-found', message: 'there is no such message for you' })),
    )
    bob.send('SEND', ['destination', `/app/messages/${String(got?.['id'])}/read`], '[]')
    t.match((await bob.message('errors')).payload, { code: 'invalid-payload' })
  })
}

async function delivering(t: Test, { west, east }: Service): Promise<void> {
  await t.test('MESSAGE /user/queue/receipts says DELIVERED once, whichever sessions get it', async (t) => {
    const alice = await person(t, west, 'got-alice')
    const bobs = [await person(t, east, 'got-bob'), await person(t, west, 'got-bob')]
    for (let n = 1; n <= 20; n++) await say(alice, '/app/users/got-bob/messages', { content: `${n}` })
    for (const bob of bobs) await several(bob, 'messages', 20)
    const receipts = await several(alice, 'receipts', 40)
    const of = (status: string): Set<string> =>
      new Set(receipts.filter((each) => each['status'] === status).map((each) => String(each['messageId'])))
    t.equal(of('STORED').size, 20)
    t.strictSame(of('DELIVERED'), of('STORED'))
    t.ok(receipts.every((receipt) => fits('MessageReceipt', receipt)))
    await say(alice, '/app/users/got-nobody/messages', { content: 'last' })
    t.match(await several(alice, 'receipts', 1), [{ status: 'STORED' }], 'no second one lies between')
  })

  await t.test('MESSAGE /user/queue/receipts says DELIVERED when the receiver comes later', async (t) => {
    const alice = await person(t, west, 'late-alice')
    await say(alice, '/app/users/late-bob/messages', { content: 'while you were away' })
    await say(alice, '/app/users/late-bob/messages', { content: 'and again' })
    t.equal(await statuses(alice, 2), 'STORED,STORED')
    for (const [i, node] of [east, west].entries()) {
      const bob = await StompClient.open(t, node.url)
      const token = await testToken('late-bob', 'user')
      bob.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
      await bob.next('CONNECTED')
      await bob.subscribe('messages', '/user/queue/messages', ['history', '10'])
      await several(bob, 'messages', 2)
      if (i === 0) t.equal(await statuses(alice, 2), 'DELIVERED,DELIVERED')
      await bob.close()
    }
    const api = await ApiClient.as(east, 'late-alice')
    const { body } = await api.get('/conversations/late-bob/messages')
    t.match(body.items, [{ receipt: 'DELIVERED' }, { receipt: 'DELIVERED' }])
    const bob = await person(t, east, 'late-bob')
    await say(bob, `/app/messages/${String(body.items[0]?.['id'])}/read`, {})
    t.equal(await statuses(alice, 1), 'READ', 'it says DELIVERED no second time')
  })

  await t.test('MESSAGE /user/queue/receipts is resumed by the sender who was away', async (t) => {
    const [alice, bob] = [await person(t, west, 'away-alice'), await person(t, east, 'away-bob')]
    await say(alice, '/app/users/away-bob/messages', { content: 'first' })
    const { frame, payload } = await alice.message('receipts')
    t.match(payload, { status: 'STORED' })
    await alice.close()
    await several(bob, 'messages', 1)
    await say(bob, `/app/messages/${String(payload['messageId'])}/read`, {})
    const back = await StompClient.open(t, east.url)
    const token = await testToken('away-alice', 'user')
    back.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
    await back.next('CONNECTED')
    const last = header(frame.headers, 'event-id') ?? ''
    await back.subscribe('receipts', '/user/queue/receipts', ['last-event-id', last])
    t.equal(await statuses(back, 2), 'DELIVERED,READ')
  })
}
