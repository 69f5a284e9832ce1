import type { Test } from 'tap'
import type { Overview } from '../../protocol/payload/overview.ts'
import { ApiClient } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'

/** CONTRACT, section 7: what administrators see of the whole. */
export async function administration(t: Test, { west, east }: Service): Promise<void> {
  const nodes = new Set([west, east]).size
  const admin = await ApiClient.as(west, 'root', 'admin')
  const overview = async (): Promise<Overview> =>
    (await admin.get('/admin/overview')).body as unknown as Overview

  await t.test('GET /admin/overview counts over all nodes', async (t) => {
    const before = await overview()
    t.equal(before.nodes.length, nodes)
    const [alice, again, bob] = [
      await StompClient.connect(t, west.url, { login: 'alice' }),
      await StompClient.connect(t, east.url, { login: 'alice' }),
      await StompClient.connect(t, east.url, { login: 'bob' }),
    ]
    for (const client of [alice, again, bob]) await client.subscribe('m', '/topic/rooms.counted')
    await alice.ask('SEND', ['destination', '/app/rooms/counted/messages'], '{"content":"hello"}')
    await admin.post('/operations', { type: 'history-export', params: { room: 'counted' } })
    await until(async () => {
      const now = await overview()
      const isCounted = now.users === before.users + 2 && now.sessions === before.sessions + 3
      return isCounted && now.rooms === before.rooms + 1 && now.operations['SUCCEEDED'] === 1
    })
    t.pass('users once, sessions each, the room, the operation')
  })

  await t.test(
    'GET /admin/overview shows what comes in and goes out, and what each node has to do',
    async (t) => {
      const client = await StompClient.connect(t, east.url, { login: 'alice' })
      await until(async () => {
        await client.ask('SEND', ['destination', '/app/rooms/counted/messages'], '{"content":"again"}')
        const { rates } = await overview()
        return rates.framesIn > 0 && rates.framesOut > 0
      })
      const { nodes: all, outboxAgeMs } = await overview()
      t.ok(outboxAgeMs >= 0)
      for (const { load, version } of all) {
        t.match(version, /^\d+\.\d+\.\d+/)
        t.ok(
          load !== undefined &&
            load.cpu >= 0 &&
            load.busy >= 0 &&
            load.busy <= 1 &&
            load.heapBytes > 1_000_000,
        )
      }
      t.same((await admin.get('/nodes')).body.items.length, nodes, 'GET /nodes shows the same')
    },
  )

  await t.test('GET /admin/overview shows the queues of orders, and dead letters', async (t) => {
    const service = await StompClient.connect(t, west.url, { login: 'orders' })
    await service.ask('SEND', ['destination', '/queue/user'], 'no order')
    await until(async () => (await overview()).deadLetters === 1)
    await until(async () => {
      const { queues } = await overview()
      const found = new Map(queues.map(({ name, ...depth }) => [name, depth]))
      return found.get('user')?.consumers === nodes && found.get('user.dead-letter')?.messages === 1
    })
    t.pass('each node takes orders, and the copy of the dead letter waits')
  })

  await t.test('GET /admin/overview is for administrators', async (t) => {
    t.equal((await ApiClient.nobody(east).get('/admin/overview')).status, 401)
    for (const role of ['user', 'service'] as const) {
      const answer = await (await ApiClient.as(east, 'mallory', role)).get('/admin/overview')
      t.match(answer, { status: 403, body: { code: 'forbidden' } })
    }
  })
}
