import t from 'tap'
import { FACT_CHANGED, ownerOf, sightOf } from '../../src/auth/fact-change.ts'
import type { BrokerStatus, ControlMessage } from '../../src/broker/broker.ts'
import { MAX_INQUIRIES } from '../../src/inbound/inquiries.ts'
import { Permits } from '../../src/inbound/permits.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { until } from '../support/until.ts'
import { PUBLIC_ROOMS } from '../support/facts.ts'
import type { PolicyFacts } from '../../src/auth/policy.ts'

/** Permits that the test speaks to as the broker would. @param ownsOrder told by `owners` unless given */
function rig(
  ownsOrder?: (user: string, orderId: string) => Promise<boolean>,
  rooms: Partial<PolicyFacts> = {},
) {
  const owners = new Map<string, string>()
  let control: (message: ControlMessage) => void = () => undefined
  let status: (status: BrokerStatus) => void = () => undefined
  const permits = new Permits({
    facts: {
      ...PUBLIC_ROOMS,
      ...rooms,
      ownsOrder: ownsOrder ?? (async (user, orderId) => owners.get(orderId) === user),
    },
    broker: {
      onControl: (listener) => {
        control = listener
        return () => undefined
      },
      onStatus: (listener) => {
        status = listener
        return () => undefined
      },
    },
  })
  const open = (name: string, destination: string, role: 'user' | 'admin' = 'user') =>
    permits.open({ principal: { name, roles: [role] }, action: 'SUBSCRIBE', destination })
  return {
    owners,
    permits,
    open,
    hear: (kind: string, body: string) => control({ kind, body }),
    turn: (isUp: boolean) => status({ isUp, detail: '' }),
  }
}

await t.test('is given where a fact decides, and only there', async (t) => {
  const { open, permits } = rig()
  t.equal(open('alice', '/topic/messages'), undefined)
  t.equal(open('alice', '/topic/orders'), undefined, 'refused by the table')
  t.equal(open('root', '/topic/orders.7', 'admin'), undefined, 'whoever owns it')
  const first = open('alice', '/topic/orders.7')!
  const second = open('bob', '/topic/orders.7')!
  t.equal(permits.size, 1)
  first.end()
  first.end()
  t.equal(permits.size, 1)
  second.end()
  t.equal(permits.size, 0, 'nothing is kept of those that ended')
  first.end()
})

await t.test('asks the policy afresh each time', async (t) => {
  const { open, owners } = rig()
  const permit = open('alice', '/topic/orders.7')!
  t.equal(await permit.holds(), false)
  owners.set('7', 'alice')
  t.equal(await permit.holds(), true)
})

await t.test('is in doubt when a node tells of that very fact, or may have told of it unheard', async (t) => {
  const { open, hear, turn } = rig()
  const permit = open('alice', '/topic/orders.7')!
  const doubts: string[] = []
  hear(FACT_CHANGED, ownerOf('8'))
  hear('close-session', ownerOf('7'))
  turn(false)
  permit.onDoubt(() => doubts.push('early'))
  t.same(doubts, [])
  hear(FACT_CHANGED, ownerOf('7'))
  turn(true)
  t.same(doubts, ['early', 'early'])
  turn(true)
  t.same(doubts, ['early', 'early'], 'nothing was missed where only the detail is another')
  permit.end()
  hear(FACT_CHANGED, ownerOf('7'))
  t.same(doubts, ['early', 'early'])

  const late = open('alice', '/topic/orders.7')!
  hear(FACT_CHANGED, ownerOf('7'))
  late.onDoubt(() => doubts.push('late'))
  t.same(doubts.slice(2), ['late'], 'what was said before anybody listened counts')
})

/** A store that answers when the test says so. */
function slowStore() {
  const asked: (Deferred<boolean> & { readonly about: string })[] = []
  const ownsOrder = (user: string, orderId: string): Promise<boolean> => {
    const answer = deferred<boolean>()
    asked.push({ ...answer, about: `${user} ${orderId}` })
    return answer.promise
  }
  return { asked, ownsOrder }
}

await t.test(
  'asks a few questions at a time where all are in doubt at once, and each in the end',
  async (t) => {
    const { asked, ownsOrder } = slowStore()
    const { open, turn } = rig(ownsOrder)
    const count = MAX_INQUIRIES * 3
    const answers: Promise<boolean>[] = []
    for (let i = 0; i < count; i += 1) {
      const permit = open('alice', `/topic/orders.${i}`)!
      permit.onDoubt(() => answers.push(permit.holds()))
    }
    turn(true)
    t.equal(answers.length, count)
    for (let i = 0; i < count; i += 1) {
      await until(() => asked.length > i)
      t.ok(asked.length - i <= MAX_INQUIRIES, `${asked.length - i} under way`)
      // One that fails makes room as well.
      if (i === 0) asked[i]!.reject(new Error('no store'))
      else asked[i]!.resolve(true)
    }
    const settled = await Promise.allSettled(answers)
    t.equal(settled.filter(({ status }) => status === 'fulfilled').length, count - 1)
    t.equal(new Set(asked.map(({ about }) => about)).size, count)
  },
)

await t.test('asks once for all who want to know the same, and afresh after that', async (t) => {
  const { asked, ownsOrder } = slowStore()
  const { open, hear } = rig(ownsOrder)
  const answers: Promise<boolean>[] = []
  const watch = (name: string): void => {
    const permit = open(name, '/topic/orders.7')!
    permit.onDoubt(() => answers.push(permit.holds()))
  }
  for (let i = 0; i < 100; i += 1) watch('alice')
  watch('bob')
  hear(FACT_CHANGED, ownerOf('7'))
  const abouts = (): string[] => asked.map(({ about }) => about)
  await until(() => asked.length > 0)
  t.same(abouts(), ['alice 7', 'bob 7'])
  // What is under way may be older than this change, and is no answer to whoever asks now.
  hear(FACT_CHANGED, ownerOf('7'))
  await until(() => asked.length > 2)
  t.same(abouts(), ['alice 7', 'bob 7', 'alice 7', 'bob 7'])
  for (const [i, { resolve }] of asked.entries()) resolve(i < 2)
  const settled = await Promise.all(answers)
  t.same(new Set(settled.slice(0, 101)), new Set([true]))
  t.same(new Set(settled.slice(101)), new Set([false]))
  t.equal(settled.length, 202)
})

await t.test('is in doubt by an event that is not plainly of the same owner', async (t) => {
  const permit = rig().open('alice', '/topic/orders.7')!
  const isDoubted = (body: string | Uint8Array) => permit.isDoubtedBy(Buffer.from(body))
  t.equal(isDoubted('{"userId":"alice"}'), false)
  for (const body of ['{"userId":"bob"}', '{}', 'null', '"alice"', '[]', 'alice', '', '{"userId":"alice"', '{"userId":"alice","userId":"bob"}', '{"__proto__":{"userId":"alice"}}']) {
    t.equal(isDoubted(body), true, body)
  }
}) // prettier-ignore

await t.test('is given for a room unless that is known to be public, which it stays', async (t) => {
  const known = new Set(['lobby'])
  const members = new Set(['alice'])
  const { open, hear, permits } = rig(undefined, {
    isPublicRoom: (room) => known.has(room),
    seesRoom: async (user) => members.has(user),
  })
  t.equal(open('alice', '/topic/rooms.lobby'), undefined)
  const doubts: string[] = []
  for (const part of ['', '.typing', '.read', '.presence']) {
    const permit = open('alice', `/topic/rooms.cellar${part}`)!
    permit.onDoubt(() => doubts.push(part))
    t.equal(await permit.holds(), true)
  }
  t.equal(permits.size, 1, 'one fact')
  hear(FACT_CHANGED, sightOf('lobby'))
  t.same(doubts, [])
  hear(FACT_CHANGED, sightOf('cellar'))
  t.same(doubts, ['', '.typing', '.read', '.presence'])
  members.clear()
  const permit = open('alice', '/topic/rooms.cellar')!
  t.equal(await permit.holds(), false)
  const told = Buffer.from('{"type":"member-removed","room":"cellar","user":"bob"}')
  t.equal(permit.isDoubtedBy(told), true)
  t.equal(permit.isDoubtedBy(Buffer.from('{"type":"created","room":"cellar"}')), true)
  const quoted = JSON.stringify({ content: told.toString(), clientId: '"type":"created"' })
  t.equal(permit.isDoubtedBy(Buffer.from(quoted)), false, 'what somebody writes tells nothing')
  t.equal(permit.isDoubtedBy(Buffer.from('{"type":"edited"}')), false)
  known.add('cellar')
  t.equal(permit.isDoubtedBy(told), false)
})
