import t from 'tap'
import type { Test } from 'tap'
import type { Principal } from '../../src/auth/principal.ts'
import { App } from '../../src/app/app.ts'
import { broadcast } from '../../src/app/broadcasts.ts'
import { registerPublicMessages } from '../../src/app/chat/public-messages.ts'
import { registerRooms } from '../../src/app/rooms/register-rooms.ts'
import { RoomSight } from '../../src/auth/room-sight.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { startRig } from '../stream/rig.ts'

/** The handlers over a store, without sessions. */
async function startApp(t: Test) {
  const { store, appender } = await startRig(t)
  const app = new App()
  registerPublicMessages(app, appender)
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  const log = createLog({ level: 'silent', nodeId: 'test' })
  registerRooms(app, { appender, store, broker, log, sight: new RoomSight(store) })
  const send = (name: string, destination: string, payload: object): Promise<void> => {
    const principal: Principal = { name, roles: ['user'] }
    const context = { principal, sessionId: 's', destination, headers: [], reply: () => undefined }
    return app.handleMessage(context, Buffer.from(JSON.stringify(payload)))
  }
  return { store, appender, send }
}

await t.test('stores a message once, under either name of the destination', async (t) => {
  const { store, send } = await startApp(t)
  await send('alice', '/app/messages', { content: 'first', clientId: 'c' })
  await send('alice', '/app/messages', { content: 'first', clientId: 'c' })
  await send('alice', '/app/send', { content: 'other', clientId: 'c' })
  t.match(await store.messages.list({ kind: 'public' }, { limit: 9 }), [{ content: 'first', clientId: 'c' }])
  t.equal(await store.log.head('/topic/messages'), 1)
  await send('bob', '/app/messages', { content: 'of somebody else', clientId: 'c' })
  await send('alice', '/app/messages', { content: 'first' })
  await send('alice', '/app/messages', { content: 'first' })
  t.equal(await store.log.head('/topic/messages'), 4, 'without an id nothing is a repetition')
})

await t.test('stores a private message once, whoever the repetition is for', async (t) => {
  const { store, send } = await startApp(t)
  await send('alice', '/app/messages', { content: 'first', receiver: 'bob', clientId: 'c' })
  await send('alice', '/app/messages', { content: 'first', receiver: 'bob', clientId: 'c' })
  await send('alice', '/app/send', { content: 'first', receiver: 'carol', clientId: 'c' })
  const heads = await store.log.heads(['bob', 'alice', 'carol'].map((user) => `/user/${user}/queue/messages`))
  t.strictSame([...heads.values()], [1, 1, 0])
})

await t.test('stores a message once in each room', async (t) => {
  const { store, send } = await startApp(t)
  for (const room of ['lobby', 'lobby', 'kitchen']) {
    await send('alice', `/app/rooms/${room}/messages`, { content: `in ${room}`, clientId: 'c' })
  }
  t.equal(await store.log.head('/topic/rooms.lobby'), 1)
  t.equal(await store.log.head('/topic/rooms.kitchen'), 1)
})

await t.test(
  'answers a repeated announcement with the id of the first, and does not relay its id',
  async (t) => {
    const { store, appender } = await startApp(t)
    const post = { title: 'Maintenance', message: 'Back at 22:00', clientId: 'c' }
    const first = await broadcast(appender, 'root', post)
    t.strictSame(await broadcast(appender, 'root', { ...post, title: 'Other' }), first)
    t.not((await broadcast(appender, 'admin', post)).id, first.id)
    const [event] = await store.log.read('/topic/broadcasts', 0, 1)
    const { createdAt, ...said } = JSON.parse(event?.body ?? '') as Record<string, unknown>
    t.type(createdAt, 'string')
    t.strictSame(said, { id: first.id, type: 'INFO', title: 'Maintenance', message: 'Back at 22:00' })
    t.equal(await store.log.head('/topic/broadcasts'), 2)
  },
)
