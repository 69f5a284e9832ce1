import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { until } from '../support/until.ts'
import { person } from './person.ts'
import { send } from './room-client.ts'

/** CONTRACT, section 7: what was written in a private room is exported for those who may see it, and only to them. */
export async function roomExports(t: Test, { west, east }: Service): Promise<void> {
  const alice = await ApiClient.as(west, 'export-alice')
  const bob = await ApiClient.as(east, 'export-bob')
  const exportOf = (room: string): object => ({ type: 'history-export', params: { room } })
  t.equal((await alice.post('/rooms', { name: 'attic', visibility: 'private' })).status, 201)
  const writer = await person(t, west, 'export-alice')
  t.equal(await send(writer, '/app/rooms/attic/messages', { content: 'secret of the attic' }), 'done')

  await t.test('POST /operations exports no private room of others, nor says that it is there', async (t) => {
    const others = [
      bob,
      await ApiClient.as(east, 'export-shop', 'service'),
      await ApiClient.as(east, 'export-root', 'admin'),
    ]
    for (const who of others) {
      const refused = await who.post('/operations', exportOf('attic'))
      const absent = await who.post('/operations', exportOf('never-made'))
      t.match(
        { status: refused.status, code: refused.body['code'] },
        { status: 404, code: 'not-found' },
        who.name,
      )
      t.equal(refused.text, absent.text, 'no hint')
      t.strictSame((await who.get('/operations')).body.items, [])
    }
    const client = await person(t, east, 'export-bob')
    t.equal(await send(client, '/app/operations', exportOf('attic')), 'not-found')
  })

  await t.test(
    'GET /operations/{id}/result is no longer there for whoever is no longer a member',
    async (t) => {
      t.equal((await alice.put('/rooms/attic/members/export-bob')).status, 200)
      const { status, body } = await bob.post('/operations', exportOf('attic'))
      t.equal(status, 202)
      const path = `/operations/${String(body['id'])}`
      await until(async () => (await bob.get(path)).body['state'] === 'SUCCEEDED')
      const whole = await bob.get(`${path}/result`)
      t.match([whole.status, whole.text], [200, /secret of the attic/])
      for (const who of [alice, await ApiClient.as(west, 'export-root', 'admin')]) {
        t.equal((await who.get(`${path}/result`)).status, 404, `${who.name}: it is bob's`)
      }
      t.equal((await alice.delete('/rooms/attic/members/export-bob')).status, 204)
      for (const node of [west, east]) {
        const after = await (await ApiClient.as(node, 'export-bob')).get(`${path}/result`)
        t.equal(after.status, 404)
        t.notMatch(after.text, 'secret')
      }
    },
  )
}
