import t from 'tap'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { SessionError } from '../../src/errors.ts'
import { BrokerLink } from '../../src/inbound/broker-link.ts'
import type { SendCall } from '../../src/inbound/call.ts'

const session = { id: 's', principal: { name: 'alice', roles: ['service'] }, remoteAddress: '' } as const
const sink = { onMessage: () => undefined, onCancelled: () => undefined, onEnd: () => undefined }

function sendTo(destination: string): SendCall {
  return { kind: 'SEND', session, destination, headers: ['receipt', 'r'], body: Buffer.from('x') }
}

await t.test('opens nothing any more once it is closed', async (t) => {
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  await broker.start({ onMessage: () => undefined, onHole: () => undefined })
  const link = new BrokerLink(broker, session, sink)
  await link.close()
  await link.close()
  await t.rejects(link.send(sendTo('/queue/q')), SessionError)
  t.equal(link.hasOwn, false)
})

await t.test('closes a session that was still being opened', async (t) => {
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  await broker.start({ onMessage: () => undefined, onHole: () => undefined })
  const link = new BrokerLink(broker, session, sink)
  const opening = link.own()
  await link.close()
  await t.rejects((await opening).begin('tx'), SessionError)
})

await t.test('tries again after the broker was not there, and closes where it never was', async (t) => {
  const broker = createMemoryBroker()
  const link = new BrokerLink(broker, session, sink)
  await broker.close()
  await t.rejects(link.own())
  t.equal(link.hasOwn, false)
  const second = link.own()
  const closed = link.close()
  await t.rejects(second)
  await closed
})
