import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'

/** What the rows of rooms have in common: a token, and queries that can be read. */
export async function roomEdges(t: Test, { west, east }: Service): Promise<void> {
  const alice = await ApiClient.as(west, 'alice')
  await alice.post('/rooms', { name: 'edges', visibility: 'private' })

  for (const path of [
    '',
    '/edges',
    '/edges/messages',
    '/edges/participants',
    '/edges/members',
    '/edges/members/bob',
  ]) {
    await t.test(`GET /rooms${path} wants a token`, async (t) => {
      t.match(await ApiClient.nobody(east).get(`/rooms${path}`), {
        status: 401,
        body: { code: 'unauthenticated' },
      })
    })
  }

  await t.test('PUT and DELETE /rooms/{room}/members/{user} want a token', async (t) => {
    t.equal((await ApiClient.nobody(east).put('/rooms/edges/members/bob')).status, 401)
    t.equal((await ApiClient.nobody(east).delete('/rooms/edges/members/bob')).status, 401)
  })

  for (const list of ['', '/edges/messages', '/edges/participants', '/edges/members']) {
    await t.test(`GET /rooms${list} names what is wrong with a query`, async (t) => {
      for (const query of ['limit=0', 'limit=many', 'limit=201']) {
        t.match(
          await alice.get(`/rooms${list}?${query}`),
          { status: 400, body: { code: 'invalid-query' } },
          query,
        )
      }
    })
  }
}
