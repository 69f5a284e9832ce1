import t from 'tap'
import { sessionRig, type SessionRig } from '../support/session-rig.ts'

const QUEUE = '/user/queue/messages'

async function publish({ broker, transport }: SessionRig, destination: string, body: string): Promise<void> {
  const address = { kind: 'user', user: 'alice', destination } as const
  await broker.publish({ address, headers: [], body: Buffer.from(body), persistent: false })
  await transport.frame('MESSAGE')
}

async function subscribe({ receive, transport }: SessionRig, destination: string): Promise<void> {
  receive('SUBSCRIBE', ['id', destination, 'destination', destination, 'receipt', 'r'])
  await transport.frame('RECEIPT')
}

await t.test('tells whose private messages a session was handed, and of no other queue', async (t) => {
  const rig = await sessionRig(t)
  await rig.connect()
  await subscribe(rig, QUEUE)
  await subscribe(rig, '/user/queue/receipts')
  await publish(rig, '/user/queue/receipts', 'no message')
  await publish(rig, QUEUE, 'one')
  t.strictSame(rig.handed, [['alice', ['one']]])
  t.equal(await rig.transport.room(), undefined)
})

await t.test('says nothing of what a session was handed that it ended', async (t) => {
  const rig = await sessionRig(t)
  await rig.connect()
  await subscribe(rig, QUEUE)
  const deliver = rig.transport.deliver.bind(rig.transport)
  rig.transport.deliver = (batch) => {
    deliver(batch)
    rig.session.shutDown()
  }
  await publish(rig, QUEUE, 'too much')
  t.strictSame(rig.handed, [])
})
