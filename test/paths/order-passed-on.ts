import type { Test } from 'tap'
import { Asking, type Node } from './asking.ts'

/** An order whose owner changes: `west` is told, `east` has the subscribers. */
export async function orderPassedOn(t: Test, west: Node, east: Node): Promise<void> {
  const service = await Asking.connect(t, west.url, 'shop', 'service')
  const bob = await Asking.connect(t, east.url, 'bob', 'user')
  const carol = await Asking.connect(t, east.url, 'carol', 'user')
  const root = await Asking.connect(t, east.url, 'root', 'admin')
  const topic = '/topic/orders.p1'
  const order = (userId: string, status: string, note: string): Promise<string> =>
    service.send('/queue/user', JSON.stringify({ orderId: 'p1', userId, status, note }))

  await t.test('whoever had the order is cut off by the change itself, and does not see it', async (t) => {
    await bob.subscribe('/user/queue/orders')
    await order('bob', 'PLACED', 'for bob')
    await bob.client.message('/user/queue/orders')
    t.equal(await bob.subscribe(topic), 'allowed')
    t.equal(await carol.subscribe(topic), 'forbidden')
    t.equal(await root.subscribe(topic), 'allowed')
    await order('bob', 'PREPARED', 'still for bob')
    t.match((await bob.client.message(topic)).payload, { note: 'still for bob' })
    await order('carol', 'READY', 'for carol alone')
    const { payload } = await bob.client.message('errors')
    t.match(payload, { code: 'forbidden', destination: topic })
    t.notMatch(bob.heard(), 'for carol alone')
  })

  await t.test('whoever has it now follows it, with its history; admins never stopped', async (t) => {
    t.equal(await carol.subscribe(topic, ['history', '10']), 'allowed')
    for (const note of ['for bob', 'still for bob', 'for carol alone']) {
      t.match((await carol.client.message(topic)).payload, { note })
    }
    await order('carol', 'SHIPPED', 'on its way')
    t.match((await carol.client.message(topic)).payload, { note: 'on its way' })
    for (const note of ['still for bob', 'for carol alone', 'on its way']) {
      t.match((await root.client.message(topic)).payload, { note })
    }
    t.equal(await bob.subscribe(topic, ['history', '10']), 'forbidden')
    t.notMatch(bob.heard(), 'carol')
  })
}
