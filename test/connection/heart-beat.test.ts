import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { HeartBeat } from '../../src/connection/heart-beat.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { connectionRig } from '../support/connection-rig.ts'
import { Inbox } from '../support/inbox.ts'
import { StompClient } from '../support/stomp-client.ts'

const NEVER = (): void => undefined

await t.test('beats as often as was agreed, until it is stopped', async (t) => {
  const beats = new Inbox<number>()
  const heartBeat = new HeartBeat({ beat: () => beats.push(performance.now()), missed: NEVER })
  t.teardown(() => heartBeat.stop())
  const startedAt = performance.now()
  heartBeat.start(50, 0)
  const times = await beats.atLeast(4)
  t.ok(times[3]! - startedAt >= 199, 'no more often')
  heartBeat.stop()
  const count = beats.items.length
  const others = new Inbox<number>()
  const other = new HeartBeat({ beat: () => others.push(0), missed: NEVER })
  t.teardown(() => other.stop())
  other.start(50, 0)
  await others.atLeast(3)
  t.equal(beats.items.length, count, 'while another goes on')
})

await t.test('misses a peer after twice its promise, counted from the last sign of life', async (t) => {
  const missed = deferred()
  const heartBeat = new HeartBeat({ beat: NEVER, missed: missed.resolve })
  t.teardown(() => heartBeat.stop())
  heartBeat.start(0, 300)
  let signs = 0
  let lastSignAt = 0
  const alive = setInterval(() => {
    heartBeat.received()
    lastSignAt = performance.now()
    if (++signs === 20) clearInterval(alive)
  }, 50)
  t.teardown(() => clearInterval(alive))
  await missed.promise
  t.equal(signs, 20)
  t.ok(performance.now() - lastSignAt >= 599)
})

await t.test('does not blame a peer while nothing is read, and counts anew afterwards', async (t) => {
  const missed = new Inbox<number>()
  const heartBeat = new HeartBeat({ beat: NEVER, missed: () => missed.push(performance.now()) })
  t.teardown(() => heartBeat.stop())
  heartBeat.start(0, 50)
  heartBeat.suspend(true)
  const others = new Inbox<number>()
  const other = new HeartBeat({ beat: NEVER, missed: () => others.push(0) })
  t.teardown(() => other.stop())
  for (const count of [1, 2, 3]) {
    other.start(0, 50)
    await others.atLeast(count)
  }
  t.equal(missed.items.length, 0, 'while another, as silent, is missed three times')
  heartBeat.suspend(false)
  const goesOnAt = performance.now()
  t.ok((await missed.at(0)) - goesOnAt >= 99)
})

await t.test('has no timers where neither side wants any', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  new HeartBeat({ beat: NEVER, missed: NEVER }).start(0, 0)
  t.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before)
})

await t.test('over a socket, as agreed with a client that wants it more often', async (t) => {
  const rig = await connectionRig(t)
  const answer = deferred<string>()
  rig.app.subscription('/app/later', { answer: () => answer.promise })
  const headers = ['heart-beat', '1000,1000']
  const connectedAt = performance.now()
  // The server offers 10 s both ways, so that 10 s is what is agreed (STOMP 1.2, "Heart-beating").
  const lively = await StompClient.connect(t, rig.url, { login: 'lively', headers })
  const silent = await StompClient.connect(t, rig.url, { login: 'silent', headers })
  const held = await StompClient.connect(t, rig.url, { login: 'held', headers })
  const deaf = await StompClient.connect(t, rig.url, { login: 'deaf', headers: ['heart-beat', '0,0'] })
  const beating = setInterval(() => lively.sendRaw('\n'), 1000)
  t.teardown(() => clearInterval(beating))
  held.send('SUBSCRIBE', ['id', 'h', 'destination', '/app/later', 'receipt', 'r'])

  await t.test('the server beats every 10 s', async (t) => {
    await lively.until(() => lively.heartBeats === 1)
    const elapsedMs = performance.now() - connectedAt
    t.ok(elapsedMs > 9900 && elapsedMs < 16_000, `after ${elapsedMs.toFixed(0)} ms`)
  })

  await t.test('a client that keeps silent is missed after two intervals', async (t) => {
    t.equal(header((await silent.next('ERROR')).headers, 'message'), 'heart-beat missed')
    const elapsedMs = performance.now() - connectedAt
    t.ok(elapsedMs > 19_900 && elapsedMs < 30_000, `after ${elapsedMs.toFixed(0)} ms`)
    t.equal((await silent.closed).code, 1002)
  })

  await t.test('those that beat, wait for the server, or agreed on none, live on', async (t) => {
    answer.resolve('here it is')
    t.equal(Buffer.from((await held.next('MESSAGE')).body).toString(), '"here it is"')
    for (const client of [held, lively, deaf]) await client.subscribe('s', '/topic/a')
    t.ok(lively.heartBeats >= 1)
    t.equal(deaf.heartBeats, 0)
  })
})
