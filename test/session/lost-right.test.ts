import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { FACT_CHANGED, ownerOf } from '../../src/auth/fact-change.ts'
import { sessionRig, type SessionRig } from '../support/session-rig.ts'
import { PUBLIC_ROOMS } from '../support/facts.ts'

const DESTINATION = '/topic/orders.7'

/** Alice, who may own order 7. */
async function ownerRig(
  t: Parameters<typeof sessionRig>[0],
  interceptors: Parameters<typeof sessionRig>[1] = [],
): Promise<SessionRig & { owner: { name: string } }> {
  const owner = { name: 'alice' }
  const facts = { ...PUBLIC_ROOMS, ownsOrder: async (user: string) => user === owner.name }
  const rig = await sessionRig(t, interceptors, { facts, role: 'user' })
  await rig.connect()
  return { ...rig, owner }
}

async function subscribe({ receive, transport }: SessionRig, id: string, destination: string): Promise<void> {
  receive('SUBSCRIBE', ['id', id, 'destination', destination, 'receipt', id])
  await transport.frame('RECEIPT')
}

const publish = ({ broker }: SessionRig, userId: string): Promise<void> =>
  broker.publish({
    address: { kind: 'private', topic: 'orders.7' },
    headers: [],
    body: Buffer.from(JSON.stringify({ userId })),
    persistent: false,
  })

const announce = ({ broker }: SessionRig): Promise<void> =>
  broker.control({ kind: FACT_CHANGED, body: ownerOf('7') })

const textOf = ({ body }: { body: Uint8Array }): string => Buffer.from(body).toString()

await t.test('ends the subscription of whoever owns the order no more, and says so', async (t) => {
  const rig = await ownerRig(t)
  await subscribe(rig, 'e', '/user/queue/errors')
  await subscribe(rig, 'o', DESTINATION)
  await publish(rig, 'alice')
  t.equal(textOf(await rig.transport.frame('MESSAGE')), '{"userId":"alice"}')
  rig.owner.name = 'bob'
  await announce(rig)
  const fault = await rig.transport.frame('MESSAGE')
  t.equal(header(fault.headers, 'subscription'), 'e')
  t.match(JSON.parse(textOf(fault)), { code: 'forbidden', destination: DESTINATION })
  await publish(rig, 'bob')
  rig.owner.name = 'alice'
  // Whoever has it again may have it again.
  await subscribe(rig, 'o', DESTINATION)
  t.same(rig.transport.frames, [], 'and nothing of what the other one was told')
})

await t.test('does not show the event that tells of the other owner, announced or not', async (t) => {
  const rig = await ownerRig(t)
  await subscribe(rig, 'e', '/user/queue/errors')
  await subscribe(rig, 'o', DESTINATION)
  rig.owner.name = 'bob'
  await publish(rig, 'bob')
  const first = await rig.transport.frame('MESSAGE')
  t.equal(header(first.headers, 'subscription'), 'e')
  t.same(rig.transport.frames, [])
})

await t.test('tells a client that does not listen for faults by ERROR, and closes', async (t) => {
  const rig = await ownerRig(t)
  await subscribe(rig, 'o', DESTINATION)
  rig.owner.name = 'bob'
  await announce(rig)
  const error = await rig.transport.frame('ERROR')
  t.equal(header(error.headers, 'subscription'), 'o')
  t.match(header(error.headers, 'message'), 'refused: forbidden')
  t.equal(rig.transport.closedWith?.code, 1008)
})

await t.test('refuses a subscription whose right is lost while it is made', async (t) => {
  let isAsked = false
  const rig: SessionRig & { owner: { name: string } } = await ownerRig(t, [
    async (call) => {
      if (call.kind !== 'SUBSCRIBE' || call.destination !== DESTINATION || isAsked) return
      isAsked = true
      // The policy has been asked by now; then comes the change.
      rig.owner.name = 'bob'
      await announce(rig)
    },
  ])
  await subscribe(rig, 'e', '/user/queue/errors')
  const watch = rig.broker.watch.bind(rig.broker)
  // The answer about the change is there before the subscription is.
  rig.broker.watch = async (target) => {
    await turn()
    return watch(target)
  }
  rig.receive('SUBSCRIBE', ['id', 'o', 'destination', DESTINATION, 'receipt', 'r'])
  t.match(JSON.parse(textOf(await rig.transport.frame('MESSAGE'))), { code: 'forbidden', receipt: 'r' })
  await publish(rig, 'alice')
  rig.owner.name = 'alice'
  await subscribe(rig, 'o', DESTINATION)
  t.same(rig.transport.frames, [], 'nothing was left of the first')
})

await t.test('watches nothing for a subscription that was refused for another reason', async (t) => {
  const rig = await ownerRig(t)
  await subscribe(rig, 'e', '/user/queue/errors')
  rig.receive('SUBSCRIBE', ['id', 'o', 'destination', DESTINATION, 'ack', 'client', 'receipt', 'r'])
  t.match(JSON.parse(textOf(await rig.transport.frame('MESSAGE'))), { code: 'invalid-header' })
  rig.owner.name = 'bob'
  await announce(rig)
  rig.owner.name = 'alice'
  await subscribe(rig, 'o', DESTINATION)
  t.same(rig.transport.frames, [])
})

await t.test('hands a new owner what is told of the order from then on', async (t) => {
  const rig = await ownerRig(t)
  rig.owner.name = 'bob'
  rig.receive('SUBSCRIBE', ['id', 'e', 'destination', '/user/queue/errors'])
  rig.owner.name = 'alice'
  await subscribe(rig, 'o', DESTINATION)
  await publish(rig, 'bob')
  await publish(rig, 'alice')
  t.equal(textOf(await rig.transport.frame('MESSAGE')), '{"userId":"bob"}', 'of before, late')
  t.equal(textOf(await rig.transport.frame('MESSAGE')), '{"userId":"alice"}')
  rig.receive('UNSUBSCRIBE', ['id', 'o', 'receipt', 'u'])
  await rig.transport.frame('RECEIPT')
  await publish(rig, 'alice')
  await announce(rig)
  await subscribe(rig, 'p', DESTINATION)
  t.same(rig.transport.frames, [])
})
