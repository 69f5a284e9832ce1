import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { EncodedBatch } from '../../src/fanout/encoded-batch.ts'
import { FanoutMessage } from '../../src/fanout/fanout-message.ts'
import { Permit } from '../../src/inbound/permit.ts'
import { tellsOfOtherOwner } from '../../src/inbound/telling-events.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { GuardedDelivery, MAX_REPEATS } from '../../src/session/guarded-delivery.ts'

const OF_ORDERS = { mayTell: tellsOfOtherOwner, isForGood: () => false }

/** A delivery to alice whose permit the test answers for. @param pause before it is asked again */
function rig(pause: (attempt: number) => Promise<void> = async () => undefined) {
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
      ...OF_ORDERS,
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
    pause,
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

const noStore = new Error('no store')

await t.test('outlives a store that is away for a while, and hands on what came meanwhile', async (t) => {
  const pauses: (Deferred<void> & { readonly attempt: number })[] = []
  const { guard, permit, asked, delivered } = rig((attempt) => {
    const over = deferred()
    pauses.push({ ...over, attempt })
    return over.promise
  })
  guard.begin(() => t.fail('nobody has said that the right is lost'))
  guard.deliver(batch('{"userId":"bob","n":1}'))
  asked[0]!.reject(noStore)
  await turn()
  t.same([asked.length, pauses.length], [1, 1], 'not asked again at once')
  guard.deliver(batch('{"userId":"alice","n":2}'))
  permit.doubt()
  pauses[0]!.resolve()
  await turn()
  asked[1]!.reject(noStore)
  await turn()
  pauses[1]!.resolve()
  await turn()
  t.same(
    pauses.map(({ attempt }) => attempt),
    [0, 1],
  )
  t.same(delivered, [])
  asked[2]!.resolve(true)
  await turn()
  t.same(delivered, ['{"userId":"bob","n":1}'])
  asked[3]!.resolve(true)
  await guard.room()
  t.same(delivered, ['{"userId":"bob","n":1}', '{"userId":"alice","n":2}'])
})

await t.test('ends where it cannot be found out', async (t) => {
  const { guard, permit, asked, delivered } = rig()
  const refused: unknown[] = []
  guard.begin((error) => refused.push(error))
  permit.doubt()
  for (let i = 0; i <= MAX_REPEATS; i += 1) {
    t.same(refused, [])
    asked[i]!.reject(noStore)
    await turn()
  }
  t.same(refused, [noStore])
  t.equal(asked.length, MAX_REPEATS + 1)
  t.same(delivered, [])
})

await t.test('asks no more where the client leaves while the store is away', async (t) => {
  const over = deferred()
  const { guard, permit, asked } = rig(() => over.promise)
  guard.begin(() => t.fail('the client wanted it so'))
  permit.doubt()
  asked[0]!.reject(noStore)
  await turn()
  guard.end()
  over.resolve()
  await guard.room()
  t.equal(asked.length, 1)
})

await t.test('asks again by itself, later', async (t) => {
  let count = 0
  const permit = new Permit(
    { principal: { name: 'alice', roles: ['user'] }, action: 'SUBSCRIBE', destination: '/topic/orders.7' },
    {
      ask: async () => {
        count += 1
        if (count === 1) throw noStore
        return true
      },
      onEnd: () => undefined,
      ...OF_ORDERS,
    },
  )
  const delivered = deferred()
  const transport = { deliver: () => delivered.resolve(), room: () => undefined }
  const guard = new GuardedDelivery({ permit, destination: '/topic/orders.7', transport })
  // What it waits for keeps no process alive.
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))
  guard.deliver(batch(FOREIGN))
  await delivered.promise
  t.equal(count, 2)
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
