import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import type { StartPosition } from '../../src/fanout/replay.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'
import { streamRig } from '../support/stream-rig.ts'
import { until } from '../support/until.ts'

/** More than lie between the last answer that a replay waits for and the moment in which it is over. */
const MICROTASKS = 20

/** A client that has to read first. */
class FullSubscriber extends RecordingSubscriber {
  isAsked = false
  readonly #room = deferred()

  room(): Promise<void> {
    this.isAsked = true
    return this.#room.promise
  }

  read(): void {
    this.#room.resolve()
  }
}

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

// The broker within the process, and a gate that reads from the log, hand events on in the middle of a
// turn: between any two steps of a replay.
for (const [name, from] of [
  ['a resumed', (id) => ({ kind: 'event-id', eventId: id(1) })],
  ['a shown', () => ({ kind: 'history', count: 2 })],
] as const satisfies readonly (readonly [string, (id: (offset: number) => string) => StartPosition])[]) {
  await t.test(`sends ${name} client what comes at any moment of the replay's end`, async (t) => {
    const { append, bring, subscribe, id } = await streamRig(t)
    await append(3)
    const other = await subscribe()
    for (let count = 0, head = 3; count < MICROTASKS; count++, head++) {
      const start = from((offset) => id(head - 3 + offset))
      const subscriber = new FullSubscriber()
      const subscribing = subscribe(start, subscriber)
      await until(() => subscriber.isAsked)
      await append(1)
      subscriber.read()
      await microtasks(count)
      bring(head + 1)
      const { recovery, close } = await subscribing
      await turn()
      t.same(subscriber.bodies, [head - 1, head, head + 1].map(String), `${count} microtasks later`)
      t.ok((recovery.position?.offset ?? 0) <= head + 1)
      close()
    }
    t.equal(other.subscriber.bodies.length, MICROTASKS)
  })

  await t.test(`likewise ${name} client for whom there is nothing to replay`, async (t) => {
    const { append, bring, subscribe, id } = await streamRig(t)
    await append(1)
    const other = await subscribe()
    for (let count = 0, head = 1; count < MICROTASKS; count++, head++) {
      const start = from(() => id(head))
      await append(1)
      const subscribing = subscribe(start.kind === 'history' ? { ...start, count: 0 } : start)
      await microtasks(count)
      bring(head + 1)
      const { subscriber, recovery, close } = await subscribing
      await turn()
      const sent = subscriber.bodies
      const isBefore = recovery.position?.offset === head + 1 && start.kind === 'history'
      t.same(sent, isBefore ? [] : [String(head + 1)], `${count} microtasks later`)
      close()
    }
    t.equal(other.subscriber.bodies.length, MICROTASKS)
  })
}
