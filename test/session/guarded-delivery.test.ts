import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { EncodedBatch } from '../../src/fanout/encoded-batch.ts'
import { FanoutMessage } from '../../src/fanout/fanout-message.ts'
import { Permit } from '../../src/inbound/permit.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { GuardedDelivery } from '../../src/session/guarded-delivery.ts'

/** A delivery to alice whose permit the test answers for. */
function rig() {
  const asked: Deferred<boolean>[] = []
  const delivered: string[] = []
  let ended = 0
  const waiting: { room?: Promise<void> } = {}
  const permit = new Permit(
    { principal: { name: 'alice', roles: ['user'] }, action: 'SUBSCRIBE', destination: '/topic/orders.7' },
    {
      ask: () => {
        const answer = deferred<boolean>()
        asked.push(answer)
        return answer.promise
      },
      onEnd: () => (ended += 1),
    },
  )
  const guard = new GuardedDelivery({
    permit,
    destination: '/topic/orders.7',
    transport: {
      deliver: ({ messages }) => {
        for (const { delivery } of messages) delivered.push(Buffer.from(delivery.body).toString())
      },
      room: () => waiting.room,
    },
  })
  return { permit, guard, asked, delivered, waiting, ended: () => ended }
}

const OWN = '{"userId":"alice"}'
const FOREIGN = '{"userId":"bob"}'

function batch(...bodies: readonly string[]): EncodedBatch {
  const messages = bodies.map((body) => {
    const address = { kind: 'private', topic: 'orders.7' } as const
    return new FanoutMessage({ address, headers: [], body: Buffer.from(body) }, 'm')
  })
  return new EncodedBatch(messages, { subscriptionId: 's', version: '1.2', shownAs: undefined })
}

const forbidden = { code: 'forbidden', message: 'SUBSCRIBE to /topic/orders.7 is not allowed any more' }

await t.test('hands on at once what is plainly allowed', async (t) => {
  const { guard, asked, delivered, waiting } = rig()
  guard.deliver(batch(OWN, OWN))
  t.same(delivered, [OWN, OWN])
  t.equal(guard.room(), undefined)
  waiting.room = Promise.resolve()
  t.equal(guard.room(), waiting.room, 'as fast as the client reads')
  t.equal(asked.length, 0)
})

await t.test('makes a replay wait for the answer, and then for the client', async (t) => {
  const { guard, asked, waiting } = rig()
  const client = deferred()
  waiting.room = client.promise
  guard.deliver(batch(FOREIGN))
  let hasRoom = false
  const room = guard.room()?.then(() => (hasRoom = true))
  asked[0]?.resolve(true)
  await turn()
  t.equal(hasRoom, false, 'the client has not read')
  client.resolve()
  await room
  t.equal(guard.isEnded, false)
})

await t.test(
  'holds an event of another owner, and shows nothing of it where the right is lost',
  async (t) => {
    const { guard, asked, delivered, ended } = rig()
    const refused: unknown[] = []
    guard.begin((error) => refused.push(error))
    guard.deliver(batch(FOREIGN))
    guard.deliver(batch(OWN))
    t.ok(guard.room() instanceof Promise, 'what is replayed has to wait')
    asked[0]!.resolve(false)
    await guard.room()
    t.same(delivered, [])
    t.match(refused, [forbidden])
    t.equal(ended(), 1)
    guard.deliver(batch(OWN))
    t.same(delivered, [], 'nor anything later')
    t.equal(asked.length, 1)
  },
)

await t.test('goes on in order where an earlier owner was meant', async (t) => {
  const { guard, asked, delivered } = rig()
  guard.deliver(batch('{"userId":"bob","n":1}'))
  guard.deliver(batch('{"userId":"alice","n":2}'))
  asked[0]!.resolve(true)
  await turn()
  t.same(delivered, ['{"userId":"bob","n":1}'])
  t.equal(asked.length, 2, 'what came meanwhile is judged by what is so then')
  asked[1]!.resolve(true)
  await guard.room()
  t.same(delivered, ['{"userId":"bob","n":1}', '{"userId":"alice","n":2}'])
  t.equal(guard.room(), undefined)
  guard.deliver(batch(OWN))
  t.equal(delivered.at(-1), OWN, 'at once again')
})

await t.test('asks when another node says so, again where it says so meanwhile', async (t) => {
  const { guard, permit, asked, delivered } = rig()
  permit.doubt()
  t.equal(asked.length, 1)
  permit.doubt()
  asked[0]!.resolve(true)
  await turn()
  t.equal(asked.length, 2)
  guard.deliver(batch(OWN))
  t.same(delivered, [], 'nothing passes in between')
  asked[1]!.resolve(true)
  await turn()
  asked[2]!.resolve(true)
  await guard.room()
  t.same(delivered, [OWN])
})

await t.test('ends where it cannot be found out', async (t) => {
  const { guard, permit, asked, delivered } = rig()
  const refused: unknown[] = []
  guard.begin((error) => refused.push(error))
  permit.doubt()
  const error = new Error('no store')
  asked[0]!.reject(error)
  await guard.room()
  t.same(refused, [error])
  t.same(delivered, [])
})

await t.test('tells a right that was lost before anybody asked to hear of it', async (t) => {
  const { guard, permit, asked } = rig()
  permit.doubt()
  asked[0]!.resolve(false)
  await guard.room()
  t.match(guard.begin(() => t.fail('it was returned already'))?.error, forbidden)
})

await t.test('does not hold more than it may', async (t) => {
  const { guard, asked, delivered } = rig()
  const refused: unknown[] = []
  guard.begin((error) => refused.push(error))
  for (let i = 0; i < 10; i += 1) guard.deliver(batch(`{"userId":"bob","note":"${'x'.repeat(60_000)}"}`))
  t.match(refused, [{ code: 'too-many-pending' }])
  asked[0]!.resolve(true)
  await guard.room()
  t.same(delivered, [])
})

await t.test('says and does nothing once it has ended', async (t) => {
  const { guard, permit, asked, delivered, ended } = rig()
  guard.begin(() => t.fail('the client wanted it so'))
  guard.deliver(batch(FOREIGN))
  guard.end()
  asked[0]!.resolve(true)
  await turn()
  t.same(delivered, [])
  const other = rig()
  other.guard.begin(() => t.fail('the client wanted it so'))
  other.permit.doubt()
  other.guard.end()
  other.asked[0]!.resolve(false)
  await turn()
  t.equal(other.ended(), 1)
  permit.doubt()
  t.equal(asked.length, 1)
  t.equal(ended(), 1)
})
