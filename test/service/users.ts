import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { until } from '../support/until.ts'
import { fits, person } from './person.ts'

/** CONTRACT, section 7: names to begin a conversation with. */
export async function users(t: Test, { west, east }: Service): Promise<void> {
  await t.test('GET /users?query= finds who was connected to any node, by how the name begins', async (t) => {
    for (const name of ['find.Anna', 'find.anton', 'find.berta']) await (await person(t, west, name)).close()
    const bob = await ApiClient.as(east, 'find-bob')
    const found = async (query: string): Promise<string[]> => {
      const { body } = await bob.get(`/users?query=${query}`)
      t.ok(body.items.every((item) => fits('Person', item)))
      return body.items.map(({ user }) => String(user))
    }
    await until(async () => (await found('find.b')).length === 1)
    t.strictSame(await found('FIND.AN'), ['find.Anna', 'find.anton'])
    t.strictSame(await found('find.x'), [])
    const page = await bob.get('/users?query=find.&limit=2')
    const rest = await bob.get(`/users?query=find.&limit=2&cursor=${String(page.body['cursor'])}`)
    t.strictSame(
      [...page.body.items, ...rest.body.items].map(({ user }) => user),
      await found('find.'),
    )
    t.notOk('cursor' in rest.body)
  })

  await t.test('GET /users?query= is for whoever has a token, and names what is wrong', async (t) => {
    t.equal((await ApiClient.nobody(east).get('/users?query=a')).status, 401)
    const bob = await ApiClient.as(east, 'find-bob')
    for (const query of ['query=%25', 'query=%00', `query=${'x'.repeat(65)}`, 'limit=0', 'cursor=a%20b']) {
      const { status, body } = await bob.get(`/users?${query}`)
      t.match({ status, code: body['code'] }, { status: 400, code: 'invalid-query' }, query)
    }
    t.equal((await bob.get('/conversations?cursor=%00')).status, 400)
  })
}
