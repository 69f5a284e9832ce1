import type { Test } from 'tap'
import { MessageError } from '../../../src/errors.ts'
import type { Broker, ControlMessage } from '../../../src/broker/broker.ts'
import { Inbox } from '../../support/inbox.ts'
import { message, openScene, type MakeBroker } from './scene.ts'

function listenTo(broker: Broker): Inbox<ControlMessage> {
  const inbox = new Inbox<ControlMessage>()
  broker.onControl(inbox.push)
  return inbox
}

const say = (body: string): ControlMessage => ({ kind: 'test', body })

const bodies = (inbox: Inbox<ControlMessage>): string[] => inbox.items.map(({ body }) => body)

export async function controlling(t: Test, makeBroker: MakeBroker): Promise<void> {
  await t.test('carries messages to all nodes and to one of them, in order', async (t) => {
    const { broker, nodeId } = await openScene(t, makeBroker)
    const heard = listenTo(broker)
    await Promise.all([
      broker.control(say('to all')),
      broker.control(say('to nobody'), 'no node of that name'),
      broker.control(say('to one'), nodeId),
    ])
    await broker.control(say('ü "\n'))
    t.same(await heard.atLeast(3), [say('to all'), say('to one'), say('ü "\n')])
  })

  await t.test('tells the listeners of a message, not those that were removed, nor the hub', async (t) => {
    const { broker, deliveries, name } = await openScene(t, makeBroker)
    const unheard = new Inbox<ControlMessage>()
    broker.onControl(unheard.push)()
    const [one, two] = [listenTo(broker), listenTo(broker)]
    await broker.watch({ kind: 'topic', pattern: '#' })
    await broker.control(say('a'))
    await Promise.all([one.atLeast(1), two.atLeast(1)])
    await broker.publish(message({ kind: 'topic', topic: name('a') }, 'the end'))
    await deliveries.atLeast(1)
    t.equal(deliveries.items.length, 1)
    t.same(unheard.items, [])
  })

  await t.test('carries them from node to node', async (t) => {
    const { broker, nodeId, secondNode } = await openScene(t, makeBroker)
    if (secondNode === undefined) {
      t.pass('this broker has one node only')
      return
    }
    const other = await secondNode()
    const [here, there] = [listenTo(broker), listenTo(other.broker)]
    await broker.control(say('from here to all'))
    await other.broker.control(say('from there to here'), nodeId)
    await broker.control(say('from here to there'), other.nodeId)
    await Promise.all([here.atLeast(2), there.atLeast(2)])
    await other.broker.control(say('the end'))
    await Promise.all([here.atLeast(3), there.atLeast(3)])
    t.same(bodies(here), ['from here to all', 'from there to here', 'the end'])
    t.same(bodies(there), ['from here to all', 'from here to there', 'the end'])
  })

  await t.test('refuses them once it is closed', async (t) => {
    const { broker, nodeId } = await openScene(t, makeBroker)
    const heard = listenTo(broker)
    await broker.close()
    await t.rejects(broker.control(say('late')), MessageError)
    await t.rejects(broker.control(say('late'), nodeId), MessageError)
    t.same(heard.items, [])
  })
}
