import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { sessionRig, type SessionRig } from '../support/session-rig.ts'

async function subscribe(
  { receive, transport }: SessionRig,
  id: string,
  destination: string,
  headers: readonly string[] = [],
): Promise<void> {
  receive('SUBSCRIBE', ['id', id, 'destination', destination, 'receipt', id, ...headers])
  await transport.frame('RECEIPT')
}

async function unsubscribe({ receive, transport }: SessionRig, id: string): Promise<void> {
  receive('UNSUBSCRIBE', ['id', id, 'receipt', id])
  await transport.frame('RECEIPT')
}

await t.test('is in a room for as long as it subscribes to it, in whatever way', async (t) => {
  const rig = await sessionRig(t)
  await rig.connect()
  await subscribe(rig, '1', '/topic/rooms.tea')
  await subscribe(rig, '2', '/topic/rooms.tea', ['ack', 'client'])
  await subscribe(rig, '3', '/topic/rooms.*')
  await subscribe(rig, '4', '/topic/rooms.tea.typing')
  await unsubscribe(rig, '1')
  await unsubscribe(rig, '2')
  t.same(rig.attendance, [
    'alice opened',
    'alice entered tea',
    'alice entered tea',
    'alice left tea',
    'alice left tea',
  ])
})

await t.test('leaves all rooms with its end, before it is closed itself', async (t) => {
  const rig = await sessionRig(t)
  await rig.connect()
  await subscribe(rig, '1', '/topic/rooms.tea')
  await subscribe(rig, '2', '/topic/rooms.milk')
  await rig.session.end()
  await rig.session.end()
  t.same(rig.attendance.slice(3), ['alice left tea', 'alice left milk', 'alice closed'])
})

await t.test('enters no room where it has gone while its subscription was made', async (t) => {
  const isAsked = deferred()
  const mayGoOn = deferred()
  const rig = await sessionRig(t, [
    async (call) => {
      if (call.kind !== 'SUBSCRIBE') return
      isAsked.resolve()
      await mayGoOn.promise
    },
  ])
  await rig.connect()
  rig.receive('SUBSCRIBE', ['id', '1', 'destination', '/topic/rooms.tea', 'receipt', 'r'])
  await isAsked.promise
  const ended = rig.session.end()
  mayGoOn.resolve()
  await ended
  await rig.transport.frame('RECEIPT')
  t.same(rig.attendance, ['alice opened', 'alice closed'])
})

await t.test('is closed with the reason where an administrator ends it', async (t) => {
  const rig = await sessionRig(t)
  await rig.connect()
  t.same(rig.session.peer, { transport: 'stomp', version: '1.2', remoteAddress: '127.0.0.1' })
  rig.registry.find(rig.session.id)?.expel('an administrator ended it')
  const error = await rig.transport.frame('ERROR')
  t.equal(header(error.headers, 'message'), 'session ended: an administrator ended it')
  t.equal(rig.transport.closedWith?.code, 1008)
  rig.session.expel('an administrator ended it')
  t.same(rig.attendance, ['alice opened', 'alice closed'])
})
