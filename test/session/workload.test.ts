import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Type } from 'typebox'
import { deferred } from '../../src/lib/deferred.ts'
import {
  LARGE_BYTES,
  MAX_IN_FLIGHT,
  MAX_IN_FLIGHT_BYTES,
  MAX_SAVED_FRAMES,
  SUBSCRIBES,
} from '../../src/session/workload.ts'
import { MAX_FRAMES_A_TURN } from '../../src/session/turn-share.ts'
import { sessionRig } from '../support/session-rig.ts'
import { until } from '../support/until.ts'

/** What comes at once from a client that has rested, and is alone. */
const BURST_FRAMES = Math.min(MAX_FRAMES_A_TURN + MAX_SAVED_FRAMES, MAX_IN_FLIGHT)

await t.test('takes so many frames a turn, in order, and lets others have theirs', async (t) => {
  const { app, receive, connect, transport } = await sessionRig(t)
  const handled: string[] = []
  app.message('/app/count', {
    payload: Type.Unknown(),
    handle: async (_context, payload) => void handled.push(String(payload)),
  })
  await connect()
  await setImmediate()
  const count = BURST_FRAMES * 5
  for (let i = 0; i < count; i++) receive('SEND', ['destination', '/app/count'], String(i))
  const first = handled.length
  t.ok(first >= BURST_FRAMES && first < 2 * BURST_FRAMES, `${first} after a rest`)
  t.equal(transport.isPaused, true, 'nothing more is read meanwhile')
  await until(() => handled.length > first)
  t.ok(handled.length < count, 'turns come in between')
  await until(() => handled.length === count)
  t.same(
    handled,
    Array.from({ length: count }, (_, i) => String(i)),
  )
  await until(() => !transport.isPaused)
})

await t.test('takes fewer a turn where others take some, too', async (t) => {
  const turnsFor = async (others: number): Promise<number> => {
    const { app, receive, connect, session } = await sessionRig(t)
    let handled = 0
    app.message('/app/count', { payload: Type.Unknown(), handle: async () => void handled++ })
    await connect()
    const count = BURST_FRAMES * 4
    for (let i = 0; i < count; i++) receive('SEND', ['destination', '/app/count'], '0')
    let turns = 0
    await until(async () => {
      turns += 1
      for (let i = 0; i < others; i++) session.services.turnShare.enter(0)
      await setImmediate()
      return handled === count
    })
    return turns
  }
  const alone = await turnsFor(0)
  const among = await turnsFor(MAX_FRAMES_A_TURN)
  // What it had saved up is its own, and it takes two a turn of the rest.
  t.ok(among > alone * 4, `${alone} turns alone, ${among} among others`)
})

await t.test('lets a burst take effect before it answers the DISCONNECT behind it', async (t) => {
  const { app, receive, connect, transport } = await sessionRig(t)
  let handled = 0
  app.message('/app/count', {
    payload: Type.Unknown(),
    handle: async () => setImmediate().then(() => void handled++),
  })
  await connect()
  const count = BURST_FRAMES * 5
  for (let i = 0; i < count; i++) receive('SEND', ['destination', '/app/count'], '0')
  receive('DISCONNECT', ['receipt', 'bye'])
  await transport.frame('RECEIPT')
  t.equal(handled, count)
  t.equal(transport.closedWith?.code, 1000)
})

await t.test('saves a burst up again while the client rests', async (t) => {
  const { app, receive, connect, transport } = await sessionRig(t)
  let handled = 0
  app.message('/app/count', { payload: Type.Unknown(), handle: async () => void handled++ })
  await connect()
  const sayAll = (): void => {
    for (let i = 0; i < BURST_FRAMES * 2; i++) receive('SEND', ['destination', '/app/count'], '0')
  }
  sayAll()
  await until(() => handled === BURST_FRAMES * 2 && !transport.isPaused)
  // The rest itself, long enough for all of it; a busy machine only makes it longer.
  await delay(50)
  sayAll()
  t.ok(handled >= BURST_FRAMES * 3, `${handled - BURST_FRAMES * 2} after the rest`)
  await until(() => handled === BURST_FRAMES * 4)
})

await t.test('frames that are refused, or done at once, count as well', async (t) => {
  const { receive, connect, transport } = await sessionRig(t)
  await connect()
  receive('SUBSCRIBE', ['id', 'e', 'destination', '/user/queue/errors'])
  await setImmediate()
  const count = BURST_FRAMES * 5
  for (let i = 0; i < count; i++) {
    receive('SEND', ['destination', '/nowhere'], 'x')
    receive('SUBSCRIBE', ['id', 's', 'destination', '/user/queue/errors', 'receipt', 'r'])
    receive('UNSUBSCRIBE', ['id', 's', 'receipt', 'r'])
  }
  const receipts = (): number => transport.frames.filter(({ command }) => command === 'RECEIPT').length
  await setImmediate()
  t.ok(receipts() < count, `${receipts()} in the first turns`)
  await until(() => receipts() === 2 * count)
})

await t.test('holds frames back when as many bytes as may be are under way', async (t) => {
  const gate = deferred()
  const { app, receive, connect, transport } = await sessionRig(t)
  let begun = 0
  app.message('/app/slow', {
    payload: Type.Unknown(),
    handle: () => {
      begun++
      return gate.promise
    },
  })
  await connect()
  const body = JSON.stringify('x'.repeat(MAX_IN_FLIGHT_BYTES / 4))
  for (let i = 0; i < 10; i++) receive('SEND', ['destination', '/app/slow', 'receipt', `r${i}`], body)
  await setImmediate()
  t.equal(begun, 4)
  t.equal(transport.isPaused, true)
  gate.resolve()
  await transport.until(() => transport.frames.length === 10)
  t.equal(begun, 10)
})

await t.test('takes no more bytes of large messages a second than it may, after a burst', async (t) => {
  const { app, receive, connect, transport } = await sessionRig(t)
  let bytes = 0
  app.message('/app/count', {
    payload: Type.String(),
    handle: async (_context, payload) => void (bytes += payload.length),
  })
  await connect()
  const body = JSON.stringify('x'.repeat(60_000))
  const ahead = Math.ceil(LARGE_BYTES.burst / body.length) * 4
  const begunMs = performance.now()
  for (let i = 0; i < ahead; i++) receive('SEND', ['destination', '/app/count'], body)
  await until(() => bytes === ahead * 60_000)
  // Longer, on a busy machine, and never shorter.
  const leastMs =
    ((ahead - 1) * (body.length - 1024) - 2 * LARGE_BYTES.burst) / (LARGE_BYTES.perSecond / 1000)
  t.ok(performance.now() - begunMs >= leastMs, `at least ${leastMs} ms`)
  await until(() => !transport.isPaused)
})

await t.test('takes no more SUBSCRIBEs a second than it may, after a burst', async (t) => {
  const { receive, connect, transport, session } = await sessionRig(t)
  await connect()
  const count = SUBSCRIBES.burst * 4
  const receipts = (): number => transport.frames.filter(({ command }) => command === 'RECEIPT').length
  const begunMs = performance.now()
  for (let i = 0; i < count; i++) {
    receive('SUBSCRIBE', ['id', 's', 'destination', `/topic/many.${i}`, 'receipt', 'r'])
    receive('UNSUBSCRIBE', ['id', 's'])
  }
  await until(() => receipts() === count)
  // Longer, on a busy machine, and never shorter.
  const leastMs = (count - 1 - 2 * SUBSCRIBES.burst) / (SUBSCRIBES.perSecond / 1000)
  t.ok(performance.now() - begunMs >= leastMs, `at least ${leastMs} ms`)
  t.match(await session.services.metrics.text(), /^stomp_relay_paced_total [1-9]/m)
})

await t.test('stays one and the same for whoever counts by it, with whatever token', async (t) => {
  const { session, connect } = await sessionRig(t)
  await connect()
  const { view } = session
  session.authenticated({ name: 'alice', roles: ['user'] })
  t.equal(session.view, view)
  t.same(view.principal, { name: 'alice', roles: ['user'] })
})
