import t from 'tap'
import type { WatchTarget } from '../../src/broker/broker.ts'
import { watchPlace } from '../../src/fanout/watch-place.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { onTopic, startHub, topic } from '../support/start-hub.ts'

/** A broker that refuses the second watch. */
function refusing(kind: WatchTarget['kind']) {
  const open: string[] = []
  return {
    open,
    watch: async (target: WatchTarget) => {
      if (target.kind === kind) throw new RangeError('refused')
      open.push(target.kind)
      return { close: () => open.splice(open.indexOf(target.kind), 1) }
    },
  }
}

await t.test('follows a room where everybody hears of it, and where its members alone do', async (t) => {
  const { hub, publish } = await startHub(t)
  for (const name of ['rooms.tea', 'rooms.tea.typing', 'rooms.tea.read', 'rooms.tea.presence']) {
    const [reader, wild] = [new RecordingSubscriber(), new RecordingSubscriber()]
    const subscription = await hub.subscribe({ ...onTopic(name), subscriber: reader })
    const other = await hub.subscribe({ ...onTopic('rooms.#'), subscriber: wild })
    await publish(topic(name), 'public')
    await publish({ kind: 'private', topic: name }, 'private')
    subscription.close()
    other.close()
    t.same(reader.bodies, ['public', 'private'], name)
    t.same(reader.headers('destination'), [`/topic/${name}`, `/topic/${name}`])
    t.same(wild.bodies, ['public'])
  }
  t.equal(hub.entryCount, 0)
  const again = new RecordingSubscriber()
  await hub.subscribe({ ...onTopic('rooms.tea'), subscriber: again })
  await publish({ kind: 'private', topic: 'rooms.tea' }, 'again')
  hub.close()
  t.same(again.bodies, ['again'])
})

await t.test('follows other topics in one place', async (t) => {
  const { hub, publish } = await startHub(t)
  for (const name of ['prices', 'rooms', 'rooms.*', 'rooms.tea.secret', 'rooms.tea.typing.x', 'orders.7']) {
    const reader = new RecordingSubscriber()
    const subscription = await hub.subscribe({ ...onTopic(name), subscriber: reader })
    await publish({ kind: 'private', topic: name }, 'private')
    subscription.close()
    t.same(reader.bodies, [], name)
  }
})

await t.test('watches nothing of a room where the broker refuses a part of it', async (t) => {
  for (const kind of ['topic', 'private'] as const) {
    const broker = refusing(kind)
    await t.rejects(watchPlace(broker, { kind: 'topic', pattern: 'rooms.tea' }), RangeError)
    t.same(broker.open, [], kind)
  }
  const broker = refusing('user')
  const watch = await watchPlace(broker, { kind: 'topic', pattern: 'rooms.tea' })
  t.same(broker.open.toSorted(), ['private', 'topic'])
  watch.close()
  t.same(broker.open, [])
})
