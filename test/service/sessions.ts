import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import type { Service, ServiceNode } from '../support/service-rig.ts'
import { SseReader } from '../support/sse-reader.ts'
import { until } from '../support/until.ts'
import { fits, person, type Json } from './person.ts'

const refusals = ['user', 'service'] as const

/** CONTRACT, section 7: who is connected, where, and what was written down of them. */
export async function sessions(t: Test, service: Service): Promise<void> {
  await listed(t, service)
  await closed(t, service)
  await audited(t, service)
  await nodes(t, service)
  await forAdministrators(t, service)
}

async function listed(t: Test, { west, east }: Service): Promise<void> {
  const [here, there] = await Promise.all([west, east].map((node) => ApiClient.as(node, 'root', 'admin')))

  await t.test('GET /sessions lists those of both nodes, whichever is asked', async (t) => {
    const before = Date.now()
    await person(t, west, 'lea')
    await person(t, east, 'lea')
    const stream = await openStream(t, east, 'lea')
    const [atWest, atEast] = await Promise.all([nodeOf(t, west, 'lea-west'), nodeOf(t, east, 'lea-east')])
    for (const client of [here!, there!]) {
      const { status, body } = await client.get('/sessions?user=lea')
      t.equal(status, 200)
      t.same(
        body.items.map(({ node, transport }) => `${String(node)} ${String(transport)}`).toSorted(),
        [`${atWest} stomp`, `${atEast} stomp`, `${atEast} sse`].toSorted(),
      )
      for (const item of body.items) {
        t.ok(fits('SessionInfo', item))
        t.match(item, { user: 'lea', roles: ['user'], address: '127.0.0.1' })
        // Its age, by the one clock that the nodes of a test have.
        const since = Date.parse(String(item['connectedAt']))
        t.ok(since >= before && since <= Date.now(), 'since when')
      }
      const ofEast = (await client.get(`/sessions?user=lea&node=${atEast}`)).body.items
      t.ok(ofEast.length > 0 && ofEast.every(({ node }) => node === atEast), 'of one node')
    }
    await stream.close()
    await until(async () => (await here!.get('/sessions?user=lea')).body.items.length === 2)
  })

  await t.test('GET /sessions in pages loses none and repeats none', async (t) => {
    for (const node of [west, east, west]) await person(t, node, 'max')
    await until(async () => (await there!.get('/sessions?user=max')).body.items.length === 3)
    const all = (await there!.get('/sessions?user=max')).body.items
    const inPages: Json[] = []
    let cursor: unknown = undefined
    do {
      const from = typeof cursor === 'string' ? `&cursor=${cursor}` : ''
      const { body } = await there!.get(`/sessions?user=max&limit=1${from}`)
      inPages.push(...body.items)
      ;({ cursor } = body)
    } while (cursor !== undefined)
    t.same(inPages, all)
    t.same((await here!.get('/sessions?user=nobody-at-all')).body, { items: [] })
    t.same((await here!.get('/sessions?node=no-such-node')).body, { items: [] })
  })

  await t.test('GET /sessions names what is wrong', async (t) => {
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'user=a%00b',
      'user=',
      'node=%27',
      'cursor=%00',
    ]) {
      const { status, body } = await here!.get(`/sessions?${query}`)
      t.match({ status, code: body['code'] }, { status: 400, code: 'invalid-query' }, query)
    }
  })
}

async function closed(t: Test, { west, east }: Service): Promise<void> {
  const admin = await ApiClient.as(west, 'root', 'admin')

  await t.test('DELETE /sessions/{id} ends one that lives at the other node, and no other', async (t) => {
    const client = await person(t, east, 'nora')
    const stream = await openStream(t, east, 'nora')
    const bystander = await person(t, east, 'olaf')
    await until(async () => (await admin.get('/sessions?user=nora')).body.items.length === 2)
    const { items } = (await admin.get('/sessions?user=nora')).body
    for (const { id } of items) t.equal((await admin.delete(`/sessions/${String(id)}`)).status, 204)
    await client.next('ERROR')
    t.equal((await client.closed).code, 1008)
    await stream.ended
    await until(async () => (await admin.get('/sessions?user=nora')).body.items.length === 0)
    for (const { id } of items) t.equal((await admin.delete(`/sessions/${String(id)}`)).status, 404, 'once')
    await bystander.subscribe('alive', '/topic/messages')
  })

  await t.test('DELETE /sessions/{id} of what is no session is 404', async (t) => {
    for (const id of ['none', 'a%00b', '%27', 'x'.repeat(65)]) {
      const { status, body } = await admin.delete(`/sessions/${id}`)
      t.match({ status, code: body['code'] }, { status: 404, code: 'not-found' }, id)
    }
  })
}

async function audited(t: Test, { west, east }: Service): Promise<void> {
  const [here, there] = await Promise.all([west, east].map((node) => ApiClient.as(node, 'root', 'admin')))
  const entries = async (client: ApiClient, query: string): Promise<readonly Json[]> =>
    (await client.get(`/admin/audit?${query}`)).body.items

  await t.test('GET /admin/audit tells at either node what happened at both', async (t) => {
    const [atWest, atEast] = await Promise.all([nodeOf(t, west, 'pia-west'), nodeOf(t, east, 'pia-east')])
    for (const node of [west, east]) {
      const pia = await person(t, node, 'pia')
      pia.send('SEND', ['destination', '/topic/orders'], '{}')
      t.match(await pia.message('errors'), { payload: { code: 'forbidden' } })
    }
    for (const client of [here!, there!]) {
      await until(async () => (await entries(client, 'kind=refused&user=pia')).length === 2)
      const refused = await entries(client, 'kind=refused&user=pia')
      t.same(refused.map(({ node }) => String(node)).toSorted(), [atWest, atEast].toSorted())
      for (const entry of refused) {
        t.ok(fits('AuditEntry', entry))
        t.match(entry, { kind: 'refused', user: 'pia', address: '127.0.0.1', about: 'SEND /topic/orders' })
      }
      const all = await entries(client, 'user=pia')
      t.ok(all.length >= 2 && all.every(({ user }) => user === 'pia'))
      const kinds = await entries(client, 'kind=refused')
      t.ok(kinds.length >= 2 && kinds.every(({ kind }) => kind === 'refused'))
    }
  })

  await t.test('GET /admin/audit in pages is newest first', async (t) => {
    const first = await there!.get('/admin/audit?user=pia&limit=1')
    const rest = await there!.get(`/admin/audit?user=pia&cursor=${String(first.body['cursor'])}`)
    const inPages = [...first.body.items, ...rest.body.items]
    t.same(inPages, await entries(there!, 'user=pia'))
    const ids = inPages.map(({ id }) => String(id))
    t.same(ids, ids.toSorted().toReversed())
  })

  await t.test('GET /admin/audit names what is wrong', async (t) => {
    for (const query of ['limit=0', 'kind=none', 'kind=', 'user=', 'user=%00', 'cursor=%00']) {
      const { status, body } = await here!.get(`/admin/audit?${query}`)
      t.match({ status, code: body['code'] }, { status: 400, code: 'invalid-query' }, query)
    }
  })
}

async function nodes(t: Test, { west, east }: Service): Promise<void> {
  await t.test('GET /nodes is the same list at both nodes, with what each has', async (t) => {
    const names = [await nodeOf(t, west, 'quin-west'), await nodeOf(t, east, 'quin-east')]
    for (const node of [west, east]) {
      const admin = await ApiClient.as(node, 'root', 'admin')
      const { status, body } = await admin.get('/nodes')
      t.equal(status, 200)
      t.same(
        body.items.map(({ id }) => id),
        [...new Set(names)].toSorted(),
      )
      for (const item of body.items) t.ok(fits('NodeInfo', item) && Number(item['sessions']) > 0)
    }
  })
}

async function forAdministrators(t: Test, { east }: Service): Promise<void> {
  for (const [method, path] of [
    ['get', '/sessions'],
    ['delete', '/sessions/none'],
    ['get', '/admin/audit'],
    ['get', '/nodes'],
  ] as const) {
    await t.test(`${method.toUpperCase()} ${path} is for administrators`, async (t) => {
      t.equal((await ApiClient.nobody(east)[method](path)).status, 401)
      for (const role of refusals) {
        const { status, body } = await (await ApiClient.as(east, 'mallory', role))[method](path)
        t.match({ status, code: body['code'] }, { status: 403, code: 'forbidden' })
      }
    })
  }
}

/** What a node calls itself, seen by a session there that lasts as long as the test. */
async function nodeOf(t: Test, node: ServiceNode, user: string): Promise<string> {
  await person(t, node, user)
  const [session] = (await (await ApiClient.as(node, 'root', 'admin')).get(`/sessions?user=${user}`)).body
    .items
  return String(session?.['node'])
}

async function openStream(t: Test, node: ServiceNode, user: string): Promise<SseReader> {
  const { token } = await ApiClient.as(node, user)
  const stream = await SseReader.open(t, `${node.address}/api/v1/notifications/stream`, {
    authorization: `Bearer ${token}`,
  })
  await stream.next()
  return stream
}
