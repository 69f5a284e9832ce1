import type { Test } from 'tap'
import type { Role } from '../../src/auth/principal.ts'
import { ApiClient } from '../support/api-client.ts'
import { Asking, type Node } from './asking.ts'

/** What Bob wrote in his private room, which is called so. */
export const ROOM = 'vault'
export const ROOM_SECRET = 'secret-room-message'

/** Who is no member, whatever the role. */
const OTHERS: readonly (readonly [name: string, role: Role])[] = [
  ['alice', 'user'],
  ['shop', 'service'],
  ['root', 'admin'],
]

/** SUBSCRIBE, and who is let through: as the table of `every-path`. */
export const ROOM_SUBSCRIBE: readonly (readonly [destination: string, who: string])[] = [
  ...['', '.typing', '.read', '.presence'].map((part) => [`/topic/rooms.${ROOM}${part}`, 'o'] as const),
  [`/app/rooms/${ROOM}/history`, 'o'],
  [`/app/rooms/${ROOM}/participants`, 'o'],
  // Other spellings of it, which lead nowhere.
  [`/topic/rooms%2E${ROOM}`, ''],
  [`/topic/rooms.%76ault`, ''],
  [`/topic/rooms.%2576ault`, ''],
  [`/topic/rooms.${ROOM}/`, ''],
  [`/topic//rooms.${ROOM}`, ''],
  [`/topic/rooms.${ROOM}%2Eread`, ''],
  ['/app/rooms/%76ault/history', ''],
  [`/app/rooms/tea/../${ROOM}/history`, ''],
  [`/exchange/stomp-relay.private/rooms.${ROOM}`, ''],
  // What services and administrators may have tells nothing of it.
  [`/topic/rooms.${ROOM}.#`, 'sa'],
  [`/topic/rooms.${ROOM}.*`, 'sa'],
  [`/topic/*.${ROOM}`, 'sa'],
  [`/topic/*.${ROOM}.*`, 'sa'],
  [`/exchange/amq.topic/rooms.${ROOM}`, 'sa'],
  [`/exchange/amq.topic/rooms.${ROOM}.typing`, 'sa'],
]

/** Bob makes the room, and is in it. */
export async function makePrivateRoom(t: Test, node: Node): Promise<void> {
  const bob = await ApiClient.as(node, 'bob')
  t.equal((await bob.post('/rooms', { name: ROOM, visibility: 'private' })).status, 201)
}

/** Bob writes and types there. */
export async function tellPrivateRoom(bob: Asking): Promise<void> {
  await bob.send(`/app/rooms/${ROOM}/messages`, JSON.stringify({ content: ROOM_SECRET }))
  await bob.send(`/app/rooms/${ROOM}/typing`, '{"typing":true}')
}

/** By SEND and HTTP nobody but Bob gets at the room, or finds out that it is there. */
export async function privateRoom(t: Test, node: Node): Promise<void> {
  const bob = await ApiClient.as(node, 'bob')
  const path = `/rooms/${ROOM}`
  const { body } = await bob.get(`${path}/messages`)
  t.match(body.items, [{ content: ROOM_SECRET }])
  const message = String(body.items[0]?.['id'])

  for (const [name, role] of OTHERS) {
    await t.test(`a private room takes nothing from others, and answers nothing: ${role}`, async (t) => {
      const asking = await Asking.connect(t, node.url, name, role)
      for (const [destination, payload] of [
        [`/app/rooms/${ROOM}/messages`, { content: 'forged' }],
        [`/app/rooms/${ROOM}/messages`, { content: 'forged', replyTo: message }],
        [`/app/rooms/${ROOM}/typing`, { typing: true }],
        [`/app/rooms/${ROOM}/read`, { eventId: 'x:1' }],
      ] as const) {
        t.equal(await asking.send(destination, JSON.stringify(payload)), 'forbidden', destination)
      }
      const elsewhere = { content: 'forged', replyTo: message }
      t.equal(await asking.send('/app/rooms/tea/messages', JSON.stringify(elsewhere)), 'invalid-payload')
      const started = JSON.stringify({ type: 'history-export', params: { room: ROOM } })
      t.equal(await asking.send('/app/operations', started), 'not-found')
      t.notMatch(asking.heard(), ROOM_SECRET)

      const api = await ApiClient.as(node, name, role)
      const exported = await api.post('/operations', { type: 'history-export', params: { room: ROOM } })
      t.equal(exported.status, 404)
      for (const rest of ['', '/messages', `/messages?after=0`, '/participants']) {
        const { status, text } = await api.get(`${path}${rest}`)
        t.equal(status, 404, rest)
        t.notMatch(text, /secret|bob/, rest)
      }
      t.equal((await api.patch(`${path}/messages/${message}`, { content: 'forged' })).status, 404)
      for (const list of ['/rooms', '/conversations', '/operations', '/notifications', '/notifications/poll?wait=0']) {
        t.notMatch((await api.get(list)).text, new RegExp(`${ROOM_SECRET}|"${ROOM}"`), list)
      }
      // Of a message that is known by its id, another room knows nothing.
      for (const room of ['tea', 'Vault', '%76ault%2F..']) {
        t.equal((await api.patch(`/rooms/${room}/messages/${message}`, { content: 'x' })).status, 404, room)
        t.equal((await api.delete(`/rooms/${room}/messages/${message}`)).status, 404, room)
        t.notMatch((await api.get(`/rooms/${room}/messages`)).text, ROOM_SECRET, room)
      }
    }) // prettier-ignore
  }

  await t.test('and is as it was for its members', async (t) => {
    const { items } = (await bob.get(`${path}/messages`)).body
    t.match(items, [{ id: message, content: ROOM_SECRET, sender: 'bob' }])
    t.equal(items.length, 1)
    t.match((await bob.get('/rooms')).text, `"${ROOM}"`)
  })
}
