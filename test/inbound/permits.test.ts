import t from 'tap'
import { FACT_CHANGED, ownerOf } from '../../src/auth/fact-change.ts'
import type { BrokerStatus, ControlMessage } from '../../src/broker/broker.ts'
import { Permits } from '../../src/inbound/permits.ts'

/** Permits that the test speaks to as the broker would. */
function rig() {
  const owners = new Map<string, string>()
  let control: (message: ControlMessage) => void = () => undefined
  let status: (status: BrokerStatus) => void = () => undefined
  const permits = new Permits({
    facts: { ownsOrder: async (user, orderId) => owners.get(orderId) === user },
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
  permit.end()
  hear(FACT_CHANGED, ownerOf('7'))
  t.same(doubts, ['early', 'early'])

  const late = open('alice', '/topic/orders.7')!
  hear(FACT_CHANGED, ownerOf('7'))
  late.onDoubt(() => doubts.push('late'))
  t.same(doubts.slice(2), ['late'], 'what was said before anybody listened counts')
})

await t.test('is in doubt by an event that is not plainly of the same owner', async (t) => {
  const permit = rig().open('alice', '/topic/orders.7')!
  const isDoubted = (body: string | Uint8Array) => permit.isDoubtedBy(Buffer.from(body))
  t.equal(isDoubted('{"userId":"alice"}'), false)
  for (const body of ['{"userId":"bob"}', '{}', 'null', '"alice"', '[]', 'alice', '', '{"userId":"alice"', '{"userId":"alice","userId":"bob"}', '{"__proto__":{"userId":"alice"}}']) {
    t.equal(isDoubted(body), true, body)
  }
}) // prettier-ignore
