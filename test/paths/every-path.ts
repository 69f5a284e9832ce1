import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { SseReader } from '../support/sse-reader.ts'
import { testToken } from '../support/token.ts'
import { Asking, type Node } from './asking.ts'
import {
  makePrivateRoom,
  privateRoom,
  ROOM,
  ROOM_SECRET,
  ROOM_SUBSCRIBE,
  tellPrivateRoom,
} from './private-room.ts'

/** Whoever tries: `user` is not the owner of what is protected, `owner` is. */
const WHO = ['user', 'owner', 'service', 'admin'] as const
type Who = (typeof WHO)[number]

/** Bob's order, message and private room; whoever sees one of these words and is not entitled has found a way. */
const SECRETS = ['secret-order-note', 'secret-message', ROOM_SECRET] as const

/**
 * Every destination by which what is Bob's, or the relay's, might be had. The letters say who is let
 * through: u(ser), o(wner), s(ervice), a(dmin); the rest is refused, whatever the code.
 */
const SUBSCRIBE: readonly (readonly [destination: string, who: string])[] = [
  // Another user's queues and streams.
  ['/user/bob/queue/messages', ''],
  ['/user/bob/queue/orders', ''],
  // Names that only look like something: nothing is ever sent to them.
  ['/user/queue/../bob/queue/messages', 'sa'],
  ['/user/queue/messages-user1', 'sa'],
  ['/user/queue/orders/', 'sa'],
  ['/user//queue/orders', ''],
  ['/user/queue/%6frders', 'sa'],
  ['/user/queue/orders\0', 'sa'],
  ['/user/Bob/queue/messages', ''],
  ['/user/b\u043eb/queue/messages', ''],
  ['/user/**', ''],
  ['/user/#', ''],
  ['/user/*/queue/messages', ''],
  // Orders.
  ['/topic/orders', 'a'],
  ['/topic/orders.b1', 'oa'],
  ['/topic/orders.B1', 'a'],
  ['/topic/orders.', ''],
  ['/topic/orders.#', ''],
  ['/topic/orders.*', ''],
  ['/topic/orders.b1.#', ''],
  ['/topic/orders.b1/', ''],
  ['/topic//orders.b1', ''],
  ['/topic/orders%2Eb1', 'a'],
  ['/topic/orders%252Eb1', ''],
  ['/topic/%6frders.b1', 'a'],
  ['/topic/#.b1', 'sa'],
  ['/topic/*.b1', 'sa'],
  ['/topic/#', 'sa'],
  ['/topic/*', 'sa'],
  ['/topic/*.#', 'sa'],
  ['/topic/ORDERS.b1', 'sa'],
  ['/topic/\u00f6rders.b1', 'sa'],
  ['/topic/rooms.*', 'sa'],
  ['/topic/rooms.#', 'sa'],
  ['/topic/rooms.tea.#', 'sa'],
  ['/topic/rooms.tea%2F..%2Forders', 'sa'],
  [`/topic/orders.${'x'.repeat(300)}`, ''],
  [`/topic/${'x'.repeat(300)}`, 'sa'],
  // Queues, and those of the relay.
  ['/queue/jobs', 'sa'],
  ['/queue/user', ''],
  ['/queue/%75ser', ''],
  ['/queue//user', ''],
  ['/queue/user.dead-letter', 'a'],
  ['/amq/queue/user', ''],
  ['/reply-queue/user', ''],
  ['/reply-queue/user.dead-letter', 'a'],
  ['/queue/stomp-relay.inbox', ''],
  ['/queue/stomp%2Drelay.inbox', ''],
  ['/queue/STOMP-RELAY.inbox', ''],
  ['/queue/stomp-subscription-abc', ''],
  ['/amq/queue/stomp-relay.inbox', ''],
  ['/exchange/stomp-relay.private/orders.b1', ''],
  ['/exchange/stomp-relay.user/bob', ''],
  ['/exchange/amq.rabbitmq.trace/#', ''],
  ['/topic/stomp-relay.x', ''],
  ['/exchange/amq.topic/#', 'sa'],
  ['/exchange/amq.topic/orders.b1', 'sa'],
  ['/reply-queue/stomp-relay.inbox', ''],
  ...ROOM_SUBSCRIBE,
  // What is for everybody, so that refusals above are not of everything.
  ['/topic/messages', 'uosa'],
  ['/topic/rooms.tea', 'uosa'],
  ['/user/queue/messages', 'uosa'],
  ['/user/queue/orders', 'uosa'],
]

const SEND: readonly (readonly [destination: string, who: string])[] = [
  ['/user/bob/queue/orders', 'sa'],
  ['/user/queue/orders', 'sa'],
  ['/topic/orders', ''],
  ['/topic/orders.', ''],
  ['/topic/orders.b1', ''],
  ['/topic/orders%2Eb1', ''],
  ['/topic/messages', 'sa'],
  ['/topic/rooms.tea', 'sa'],
  ['/queue/jobs', 'sa'],
  ['/queue/user', 'sa'],
  ['/queue/stomp-relay.inbox', ''],
  ['/queue/stomp%2Drelay.inbox', ''],
  ['/exchange/stomp-relay.private/orders.b1', ''],
  ['/exchange/amq.topic/messages', 'sa'],
  ['/amq/queue/stomp-relay.inbox', ''],
  ['/reply-queue/stomp-relay.inbox', ''],
]

/** The same table over either broker: whatever the way, only the entitled see it. */
export async function everyPath(t: Test, node: Node): Promise<void> {
  const people: Record<Who, Asking> = {
    user: await Asking.connect(t, node.url, 'alice', 'user'),
    owner: await Asking.connect(t, node.url, 'bob', 'user'),
    service: await Asking.connect(t, node.url, 'shop', 'service'),
    admin: await Asking.connect(t, node.url, 'root', 'admin'),
  }
  const order = (status: string, extra: object = {}): Promise<string> =>
    people.service.send('/queue/user', JSON.stringify({ orderId: 'b1', userId: 'bob', status, ...extra }))
  const isTaken = async (id: string): Promise<void> => {
    await people.owner.client.message(id)
  }
  await people.owner.client.subscribe('first', '/user/queue/orders')
  await order('PLACED')
  await isTaken('first')
  await makePrivateRoom(t, node)

  await t.test('each way to SUBSCRIBE is open to those whom the table names', async (t) => {
    for (const who of WHO) {
      for (const [destination, expected] of SUBSCRIBE) {
        const answer = await people[who].subscribe(destination)
        const isLet = expected.includes(who.charAt(0))
        // What the policy lets through a broker may still not know.
        if (isLet && answer !== 'forbidden') t.pass(destination)
        else
          t.equal(
            answer === 'allowed',
            isLet,
            `${who} ${JSON.stringify(destination.slice(0, 60))}: ${answer}`,
          )
      }
    }
  })

  await t.test('and what is told then reaches nobody else', async (t) => {
    await order('READY', { note: 'secret-order-note' })
    await isTaken('first')
    await people.owner.send('/app/messages', '{"content":"secret-message","receiver":"bob"}')
    await isTaken('/user/queue/messages')
    await tellPrivateRoom(people.owner)
    await isTaken(`/topic/rooms.${ROOM}`)
    await isTaken(`/topic/rooms.${ROOM}.typing`)
    await people.owner.send('/app/messages', '{"content":"for everybody"}')
    for (const who of WHO) {
      await people[who].client.next('MESSAGE', ({ headers, body }) => {
        const isLast = Buffer.from(body).toString().includes('for everybody')
        return isLast && header(headers, 'subscription') === '/topic/messages'
      })
    }
    for (const secret of SECRETS) t.notMatch(people.user.heard(), secret, 'alice')
    for (const secret of SECRETS) t.notMatch(people.service.heard(), secret, 'the service')
    t.notMatch(people.admin.heard(), 'secret-message', 'an admin reads no private messages')
    t.match(people.admin.heard(), 'secret-order-note', 'but follows orders')
    for (const who of ['user', 'service', 'admin'] as const) {
      t.notMatch(people[who].heard(), new RegExp(`${ROOM_SECRET}|"typing"|"room":"${ROOM}"`), who)
    }
  })

  await t.test('each way to SEND is open to those whom the table names', async (t) => {
    for (const who of ['user', 'owner', 'service', 'admin'] as const) {
      for (const [destination, expected] of SEND) {
        const answer = await people[who].send(destination, '{"forged":true}')
        const isLet = expected.includes(who.charAt(0))
        if (isLet) t.not(answer, 'forbidden', `${who} ${destination}`)
        else t.equal(answer, 'forbidden', `${who} ${destination}`)
      }
    }
  })

  await t.test("an event id of somebody else's stream opens nothing", async (t) => {
    const again = await Asking.connect(t, node.url, 'bob', 'user')
    const ids = new Map<string, string>()
    for (const destination of [
      '/user/queue/orders',
      '/user/queue/messages',
      '/topic/orders.b1',
      `/topic/rooms.${ROOM}`,
    ]) {
      t.equal(await again.subscribe(destination, ['history', '1']), 'allowed')
      const { frame } = await again.client.message(destination)
      ids.set(destination, header(frame.headers, 'event-id')!.replace(/:\d+$/, ':0'))
    }
    const thief = await Asking.connect(t, node.url, 'alice', 'user')
    for (const [destination, id] of ids) {
      const expected = destination.startsWith('/topic') ? 'forbidden' : 'unknown-epoch'
      t.equal(await thief.subscribe(destination, ['last-event-id', id]), expected, destination)
      t.equal(await thief.subscribe('/topic/rooms.tea', ['last-event-id', id]), 'unknown-epoch')
      thief.client.send('UNSUBSCRIBE', ['id', '/topic/rooms.tea'])
    }
    for (const secret of SECRETS) t.notMatch(thief.heard(), secret)
  })

  await t.test('a private room is there for its members alone', (t) => privateRoom(t, node))
  await feeds(t, node)
}

async function feeds(t: Test, { address }: Node): Promise<void> {
  const feed = `${address}/api/v1/notifications`
  const tokens = {
    user: await testToken('alice', 'user'),
    owner: await testToken('bob', 'user'),
    service: await testToken('shop', 'service'),
    admin: await testToken('root', 'admin'),
  }
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  await t.test('a feed is for its user, and for admins who ask for it by name', async (t) => {
    for (const path of ['/stream/bob', '/stream/bob?lastEventId=x', '/stream/%62ob']) {
      t.equal((await fetch(`${feed}${path}`)).status, 401, `nobody ${path}`)
      for (const who of ['user', 'service'] as const) {
        t.equal((await fetch(`${feed}${path}`, bearer(tokens[who]))).status, 403, `${who} ${path}`)
      }
      for (const who of ['owner', 'admin'] as const) {
        const reader = await SseReader.open(t, `${feed}${path}`, bearer(tokens[who]).headers)
        t.match((await reader.nextJson()).data, { user: 'bob' }, `${who} ${path}`)
        await reader.close()
      }
    }
    for (const path of ['/stream/..%2Fbob', '/stream/bob%2F', '/stream/b%C3%B6b', '/stream/BOB', '/stream/bob/', '//stream/bob']) {
      const { status } = await fetch(`${feed}${path}`, bearer(tokens.user))
      t.ok([400, 403, 404].includes(status), `${path}: ${status}`)
    }
    for (const path of ['/stream', '/poll']) t.equal((await fetch(`${feed}${path}`)).status, 401, path)
  }) // prettier-ignore

  await t.test("the position of somebody else's feed opens nothing", async (t) => {
    const own = await SseReader.open(t, `${feed}/stream`, bearer(tokens.owner).headers)
    const position = (await own.next()).id.replaceAll(/:\d+/g, ':0')
    await own.close()
    const poll = async (token: string): Promise<string> =>
      (await fetch(`${feed}/poll?wait=0&after=${encodeURIComponent(position)}`, bearer(token))).text()
    t.match(await poll(tokens.owner), 'secret-order-note', 'its owner has all of it')
    t.notMatch(await poll(tokens.user), 'secret-order-note')
    const reader = await SseReader.open(t, `${feed}/stream`, {
      ...bearer(tokens.user).headers,
      'last-event-id': position,
    })
    t.match((await reader.nextJson()).data, { user: 'alice', recovered: false })
    await reader.close()
    t.notMatch(JSON.stringify(reader.events.items), 'secret-order-note')
  })

  await t.test('what is for admins is for admins, by HTTP too', async (t) => {
    const routes = [
      ['GET', '/sessions'],
      ['GET', '/nodes'],
      ['GET', '/notifications/status'],
      ['DELETE', '/sessions/none'],
      ['GET', '/admin/dead-letters'],
      ['GET', '/admin/dead-letters/none'],
      ['POST', '/admin/dead-letters/none/requeue'],
      ['DELETE', '/admin/dead-letters/none'],
      ['PATCH', '/orders/none'],
      ['POST', '/admin/broadcasts'],
      ['POST', '/notifications/broadcast'],
    ] as const
    for (const [method, path] of routes) {
      const ask = (token?: string): Promise<Response> =>
        fetch(`${address}/api/v1${path}`, {
          method,
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(method === 'POST' && { 'content-type': 'application/json' }),
          },
          ...(method === 'POST' && { body: '{}' }),
        })
      t.equal((await ask()).status, 401, `nobody ${method} ${path}`)
      for (const who of ['user', 'owner', 'service'] as const) {
        t.equal((await ask(tokens[who])).status, 403, `${who} ${method} ${path}`)
      }
      t.ok([200, 400, 404].includes((await ask(tokens.admin)).status), `an admin ${method} ${path}`)
    }
  })
}
