import t from 'tap'
import { decide, POLICY } from '../../src/auth/policy.ts'
import type { Action } from '../../src/auth/policy.ts'
import type { Role } from '../../src/auth/principal.ts'
import { PUBLIC_ROOMS } from '../support/facts.ts'

const NO_FACTS = {
  ...PUBLIC_ROOMS,
  ownsOrder: (): Promise<boolean> => {
    throw new Error('no fact is needed here')
  },
}

function may(role: Role, action: Action, destination: string): boolean {
  const decision = decide({ principal: { name: 'bob', roles: [role] }, action, destination }, NO_FACTS)
  if (typeof decision !== 'boolean') throw new TypeError('a decision that needs no fact is synchronous')
  return decision
}

/** Who may: u(ser), s(ervice), a(dmin). One line for each row of the table, in its order. */
const ROWS: readonly (readonly [Action, string, string])[] = [
  ['SEND', '/app/messages', 'usa'],
  ['SUBSCRIBE', '/app/rooms/tea/history', 'usa'],
  ['SUBSCRIBE', '/topic/messages', 'usa'],
  ['SUBSCRIBE', '/topic/broadcasts', 'usa'],
  ['SUBSCRIBE', '/topic/presence', 'usa'],
  ['SUBSCRIBE', '/topic/rooms.tea_-1', 'usa'],
  ['SUBSCRIBE', '/topic/rooms.tea.typing', 'usa'],
  ['SUBSCRIBE', '/topic/rooms.tea.read', 'usa'],
  ['SUBSCRIBE', '/topic/rooms.tea.presence', 'usa'],
  ['SUBSCRIBE', '/topic/orders', 'a'],
  ['SUBSCRIBE', '/topic/orders.7', 'owner a'],
  ['SUBSCRIBE', '/topic/orders.7.x', ''],
  ['SEND', '/topic/orders', ''],
  ['SEND', '/topic/orders.7', ''],
  ['SUBSCRIBE', '/user/queue/messages', 'usa'],
  ['SUBSCRIBE', '/user/queue/notifications', 'usa'],
  ['SUBSCRIBE', '/user/queue/orders', 'usa'],
  ['SUBSCRIBE', '/user/queue/operations', 'usa'],
  ['SUBSCRIBE', '/user/queue/receipts', 'usa'],
  ['SUBSCRIBE', '/user/queue/errors', 'usa'],
  ['SUBSCRIBE', '/user/queue/jobs', 'sa'],
  ['SEND', '/user/alice/queue/jobs', 'sa'],
  ['SUBSCRIBE', '/queue/user', ''],
  ['SUBSCRIBE', '/amq/queue/user', ''],
  ['SUBSCRIBE', '/reply-queue/user', ''],
  ['SUBSCRIBE', '/queue/user.dead-letter', 'a'],
  ['SUBSCRIBE', '/amq/queue/user.dead-letter', 'a'],
  ['SUBSCRIBE', '/reply-queue/user.dead-letter', 'a'],
  ['SEND', '/queue/stomp-subscription-x', ''],
  ['SUBSCRIBE', '/queue/stomp-subscription-x', ''],
  ['SEND', '/amq/queue/stomp-subscription-x', ''],
  ['SUBSCRIBE', '/amq/queue/stomp-subscription-x', ''],
  ['SEND', '/reply-queue/stomp-subscription-x', ''],
  ['SUBSCRIBE', '/reply-queue/stomp-subscription-x', ''],
  ['SEND', '/exchange/amq.rabbitmq.trace/publish.x', ''],
  ['SUBSCRIBE', '/exchange/amq.rabbitmq.trace/#', ''],
  ['SEND', '/topic/prices.eur', 'sa'],
  ['SUBSCRIBE', '/topic/prices.#', 'sa'],
  ['SEND', '/queue/user', 'sa'],
  ['SUBSCRIBE', '/queue/jobs', 'sa'],
  ['SEND', '/exchange/amq.topic/a.b', 'sa'],
  ['SUBSCRIBE', '/exchange/amq.topic/#', 'sa'],
  ['SEND', '/amq/queue/jobs', 'sa'],
  ['SUBSCRIBE', '/amq/queue/jobs', 'sa'],
  ['SEND', '/temp-queue/answers', 'sa'],
  ['SUBSCRIBE', '/temp-queue/answers', 'sa'],
  ['SEND', '/reply-queue/answers', 'sa'],
  ['SUBSCRIBE', '/reply-queue/answers', 'sa'],
]

await t.test('decides each row of the table for each role', async (t) => {
  t.equal(ROWS.length, POLICY.length, 'one line a row')
  for (const [action, destination, who] of ROWS) {
    if (who.startsWith('owner')) continue
    const letters = (['user', 'service', 'admin'] as const).filter((role) => may(role, action, destination))
    t.equal(letters.map((role) => role.charAt(0)).join(''), who, `${action} ${destination}`)
  }
})

await t.test('lets the owner of an order follow it, and an admin without asking', async (t) => {
  const asked: string[] = []
  const facts = {
    ...PUBLIC_ROOMS,
    ownsOrder: (user: string, orderId: string): Promise<boolean> => {
      asked.push(`${user} ${orderId}`)
      return Promise.resolve(user === 'alice')
    },
  }
  const follow = (name: string, role: Role, destination: string) =>
    decide({ principal: { name, roles: [role] }, action: 'SUBSCRIBE', destination }, facts)
  t.equal(await follow('alice', 'user', '/topic/orders.o-7'), true)
  t.equal(await follow('bob', 'user', '/topic/orders.o-7'), false)
  t.equal(await follow('shop', 'service', '/topic/orders.o-7'), false)
  t.strictSame(asked, ['alice o-7', 'bob o-7', 'shop o-7'])
  t.equal(follow('root', 'admin', '/topic/orders.o-7'), true, 'at once')
  t.equal(asked.length, 3)
  t.equal(await follow('shop', 'service', '/topic/orders%2Eo-7'), false, 'the spelling changes nothing')
  t.equal(follow('alice', 'service', '/topic/orders%2Eo-7'), false, 'owners follow by the plain name')
  t.strictSame(asked.at(-1), 'shop o-7')
  await t.rejects(
    async () =>
      decide(
        {
          principal: { name: 'alice', roles: ['user'] },
          action: 'SUBSCRIBE',
          destination: '/topic/orders.1',
        },
        { ...PUBLIC_ROOMS, ownsOrder: () => Promise.reject(new RangeError('no store')) },
      ),
    RangeError,
  )
})

await t.test('lets those see a room who may, whatever their role, by its plain name', async (t) => {
  const facts = { ...NO_FACTS, isPublicRoom: () => false, seesRoom: async (user: string) => user === 'alice' }
  const follow = (name: string, role: Role, destination: string) =>
    decide({ principal: { name, roles: [role] }, action: 'SUBSCRIBE', destination }, facts)
  for (const part of ['', '.typing', '.read', '.presence']) {
    for (const role of ['user', 'service', 'admin'] as const) {
      t.equal(await follow('alice', role, `/topic/rooms.cellar${part}`), true, `${role} ${part}`)
      t.equal(await follow('bob', role, `/topic/rooms.cellar${part}`), false, `${role} ${part}`)
    }
  }
  t.equal(follow('alice', 'service', '/topic/rooms%2Ecellar'), false)
  t.equal(follow('alice', 'user', '/topic/rooms.cellar.secret'), false)
})

await t.test('keeps users to the plain spelling of what is theirs', async (t) => {
  const hostile = [
    '',
    '/',
    'messages',
    '/topic',
    '/topic/',
    'topic/messages',
    ' /topic/messages',
    '/topic/messages ',
    '/topic/messages\n',
    '/topic/messages/',
    '/topic//messages',
    '//topic/messages',
    '/topic/Messages',
    '/TOPIC/messages',
    '/topic/mess%61ges',
    '/topic/m\u0435ssages', // Cyrillic е
    '/topic/messages\u200b',
    '/topic/messages.x',
    '/topic/*',
    '/topic/#',
    '/topic/rooms',
    '/topic/rooms.',
    '/topic/rooms.*',
    '/topic/rooms.#',
    '/topic/rooms.tea.*',
    '/topic/rooms.tea.',
    '/topic/rooms..typing',
    '/topic/rooms.tea.secret',
    '/topic/rooms.te a',
    '/topic/rooms.t\u00e9',
    `/topic/rooms.${'x'.repeat(65)}`,
    '/topic/rooms%2Etea',
    '/topic/presence.x',
    '/topic/orders',
    '/topic/orders.',
    '/topic/orders.*',
    '/topic/orders.#',
    '/topic/orders.1.2',
    '/topic/orders%2E1',
    '/topic/orders.1%20',
    '/topic/.orders.1',
    '/user',
    '/user/queue',
    '/user/queue/',
    '/user/queue/messages/',
    '/user/queue/Messages',
    '/user/queue/jobs',
    '/user/bob/queue/messages',
    '/user/alice/queue/messages',
    '/user/queue/../alice/queue/messages',
    '/user/queue/%6dessages',
    '/queue/user',
    '/queue/messages',
    '/amq/queue/messages',
    '/exchange/amq.topic/messages',
    '/temp-queue/x',
    '/reply-queue/x',
    '/app',
    '/App/messages',
    `/topic/${'x'.repeat(9000)}`,
  ]
  for (const destination of hostile) {
    t.notOk(may('user', 'SUBSCRIBE', destination), JSON.stringify(destination.slice(0, 60)))
  }
  for (const destination of [
    ...hostile,
    '/topic/messages',
    '/topic/rooms.tea',
    '/user/queue/messages',
    '/queue/user',
  ]) {
    t.notOk(may('user', 'SEND', destination), `SEND ${JSON.stringify(destination.slice(0, 60))}`)
  }
})

await t.test('keeps everybody from the names of the relay, however they are spelt', async (t) => {
  const reserved = [
    '/queue/stomp-relay.inbox.n1.b.1',
    '/queue/stomp-relay',
    '/queue/STOMP-Relay.inbox',
    '/queue/stomp%2Drelay.inbox',
    '/queue/%73tomp-relay.inbox',
    '/queue/stomp%252Drelay.inbox',
    '/queue/%2Fstomp-relay.inbox',
    '/queue/ stomp-relay.inbox',
    '/queue//stomp-relay.inbox',
    '/amq/queue/stomp-relay.inbox.n1.b.1',
    '/amq/queue/stomp-relay%2Einbox',
    '/exchange/stomp-relay.private/orders.7',
    '/exchange/stomp-relay.user/bob',
    '/exchange/stomp-relay.topic/#',
    '/exchange/stomp%2drelay.private/orders.7',
    '/exchange/stomp-relay.private',
    '/exchange//stomp-relay.inbox',
    '/exchange/amq.topic/stomp-relay.x',
    '/topic/stomp-relay.x',
    '/topic/stomp-relay.#',
    '/reply-queue/stomp-relay.inbox',
    '/temp-queue/stomp-relay.x',
    '/user/stomp-relay.x/queue/y',
    '/queue/%',
    '/queue/%zz',
    '/queue/%ff',
  ]
  for (const destination of reserved) {
    for (const action of ['SEND', 'SUBSCRIBE'] as const) {
      for (const role of ['user', 'service', 'admin'] as const) {
        t.notOk(may(role, action, destination), `${role} ${action} ${destination}`)
      }
    }
  }
  t.ok(may('service', 'SUBSCRIBE', '/queue/my.stomp-relay.x'), 'only the beginning of a name counts')
})

await t.test("keeps everybody from the intake's queue, however it is spelt", async (t) => {
  const spellings = [
    '/queue/user/',
    '/queue//user',
    '/queue/%75ser',
    '/queue/user%2F',
    '/amq/queue/use%72',
    '/reply-queue/use%72',
    '/reply-queue//user',
    '/amq//queue/user',
  ]
  for (const destination of spellings) {
    for (const role of ['user', 'service', 'admin'] as const) {
      t.notOk(may(role, 'SUBSCRIBE', destination), `${role} ${destination}`)
    }
  }
  t.notOk(may('service', 'SUBSCRIBE', '/queue/user%2Edead-letter'))
})

await t.test('leaves services the names that only look odd', async (t) => {
  for (const destination of [
    '/queue/a%2Fb',
    '/topic/a%2Fb',
    '/queue/\u00fc',
    '/topic/*.stock.#',
    '/topic/a..b',
    '/queue/user2',
  ]) {
    t.ok(may('service', 'SUBSCRIBE', destination), destination)
  }
  for (const destination of ['/topic', '/queue/', '/elsewhere/x', '']) {
    t.notOk(may('admin', 'SUBSCRIBE', destination), JSON.stringify(destination))
  }
})

await t.test('adds up roles', async (t) => {
  const principal = { name: 'x', roles: ['user', 'service'] as const }
  t.equal(decide({ principal, action: 'SEND', destination: '/topic/a' }, NO_FACTS), true)
  t.equal(
    decide({ principal: { name: 'x', roles: [] }, action: 'SEND', destination: '/app/messages' }, NO_FACTS),
    false,
  )
})

await t.test('decides alike after more destinations than it remembers', async (t) => {
  for (let i = 0; i < 10_050; i += 1) {
    if (!may('service', 'SEND', `/topic/x.${i}`)) t.fail(String(i))
  }
  t.ok(may('service', 'SEND', '/topic/x.0'))
  t.notOk(may('user', 'SEND', '/topic/x.0'))
})
