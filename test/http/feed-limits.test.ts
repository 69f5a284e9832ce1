import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { feedRig, KINDS } from '../support/feed-rig.ts'
import { SseReader } from '../support/sse-reader.ts'
import { until } from '../support/until.ts'

/** A reader that asks for a stream and then reads nothing of it. */
async function unread(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  const asked = request(url, { headers })
  asked.on('error', () => undefined)
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  return response
}

await t.test('drops a reader that does not read, for what waits or for how long', async (t) => {
  for (const config of [
    { limitOutboxBytes: 65_536 },
    { limitOutboxBytes: 1_073_741_824, limitOutboxMs: 100 },
  ]) {
    const rig = await feedRig(t, { config })
    const good = await rig.open()
    await good.next()
    const slow = await unread(rig.streamUrl, rig.alice)
    t.teardown(() => slow.destroy())
    await until(() => rig.feeds.size === 2)
    const padding = 'x'.repeat(8000)
    let sent = 0
    const dropped = async (): Promise<boolean> =>
      ((await rig.metrics.slowClients.get()).values[0]?.value ?? 0) === 1
    while (!(await dropped())) {
      t.ok(sent < 10_000, 'the kernel holds some megabytes, and no more')
      for (let i = 0; i < 20; i++) await rig.append('broadcast', { n: sent++, padding })
    }
    await until(() => rig.feeds.size === 1)
    t.equal(rig.registry.size, 1)
    await rig.append('broadcast', { n: sent })
    const numbers: unknown[] = []
    while (numbers.length <= sent) numbers.push((await good.nextJson()).data['n'])
    t.same(
      numbers,
      Array.from({ length: sent + 1 }, (_, n) => n),
      'the other one missed nothing',
    )
    await good.close()
  }
})

await t.test('sends no faster than the reader reads what it has missed', async (t) => {
  const rig = await feedRig(t)
  const first = await rig.open()
  const { id } = await first.next()
  await first.close()
  const padding = 'x'.repeat(65_536)
  const missed = 200
  for (let n = 0; n < missed; n++) await rig.append(KINDS[n % 4]!, { n, padding })
  let reads = 0
  rig.hook.beforeRead = () => (reads += 1)
  const response = await unread(rig.streamUrl, { ...rig.alice, 'last-event-id': id })
  let seen = 0
  const settled = async (): Promise<boolean> => {
    const before = reads
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve))
    return reads > 0 && before === reads
  }
  await until(settled)
  t.ok(reads < missed, `it waits, after ${reads} reads`)
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
    seen += chunk.split('padding').length - 1
  })
  await until(() => seen >= missed)
  t.equal(new Set(text.match(/"n":\d+/g)).size, missed)
  t.equal((await rig.metrics.slowClients.get()).values[0]?.value, 0)
  response.destroy()
})

await t.test('ends streams and polls when the node goes, and takes no more', async (t) => {
  const { feeds, open, streamUrl, pollUrl, alice, append } = await feedRig(t)
  const readers = await Promise.all(Array.from({ length: 5 }, () => open()))
  const [{ id }] = await Promise.all([readers[0]!.next(), ...readers.slice(1).map((each) => each.next())])
  const poll = fetch(`${pollUrl}?after=${id}&wait=60`, { headers: alice })
  await until(() => feeds.size === 6)
  const draining = feeds.drain(50)
  const refused = await fetch(streamUrl, { headers: alice })
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '5')
  t.match(await refused.json(), { code: 'shutting-down' })
  const browser = await SseReader.open(t, streamUrl, { ...alice, accept: 'text/event-stream' })
  await browser.ended
  t.equal(browser.retryMs, 5000, 'a browser would never come back after an error')
  t.same(browser.events.items, [])
  t.equal((await fetch(pollUrl, { headers: alice })).status, 503)
  await draining
  for (const reader of readers) await reader.ended
  t.same(await (await poll).json(), { events: [], lastEventId: id, recovered: true })
  t.equal(feeds.size, 0)
  await append('order', { n: 1 })
})

await t.test('a stream that is being opened when the node goes is told to come later', async (t) => {
  const { feeds, append, hook, open, streamUrl, pollUrl, alice } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  await first.close()
  await append('order', { n: 1 })
  const goOn = deferred()
  hook.beforeRead = () => goOn.promise
  const answers = [
    fetch(streamUrl, { headers: { ...alice, 'last-event-id': id } }),
    fetch(`${pollUrl}?after=${id}`, { headers: alice }),
  ]
  await until(() => feeds.size === 2)
  await feeds.drain(0)
  for (const answer of answers) {
    t.equal((await answer).status, 503)
    t.match(await (await answer).json(), { code: 'shutting-down' })
  }
  goOn.resolve()
})

await t.test('refuses where the broker is away, and asks browsers to come later', async (t) => {
  const { broker, streamUrl, pollUrl, alice } = await feedRig(t)
  await broker.close()
  for (const url of [streamUrl, pollUrl]) {
    const response = await fetch(url, { headers: alice })
    t.equal(response.status, 503)
    t.match(await response.json(), { code: 'broker-unavailable' })
  }
  const browser = await SseReader.open(t, streamUrl, { ...alice, accept: 'text/event-stream' })
  await browser.ended
  t.equal(browser.retryMs, 5000)
})

await t.test('refuses more than the node takes, and more than one user may have', async (t) => {
  for (const [options, status, code] of [
    [{ config: { limitConnections: 2 } }, 503, 'no-connections'],
    [{ maxPerUser: 2 }, 429, 'too-many-sessions'],
  ] as const) {
    const { open, streamUrl, pollUrl, alice, feeds, counters } = await feedRig(t, options)
    const first = await open()
    const second = await open()
    const headers = { ...alice, accept: 'text/event-stream' }
    for (const url of [streamUrl, pollUrl]) {
      const refused = await fetch(url, { headers })
      t.equal(refused.status, status)
      t.equal(refused.headers.get('retry-after'), '5')
      t.match(await refused.json(), { status, code })
    }
    t.equal(counters.refused, 2)
    await second.close()
    await until(() => feeds.size === 1)
    t.equal((await (await open()).next()).event, 'connected')
    t.equal((await first.next()).event, 'connected')
  }
})

await t.test('reads nothing more for a reader that has left, and watches nothing', async (t) => {
  const { open, append, hook, hub, feeds, streamUrl, alice } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  await first.close()
  // More than a page holds.
  for (let n = 0; n < 150; n++) await append('order', { n })
  const reading = deferred()
  const goOn = deferred()
  let reads = 0
  hook.beforeRead = async () => {
    reads += 1
    reading.resolve()
    await goOn.promise
  }
  const leaving = new AbortController()
  const headers = { ...alice, 'last-event-id': id }
  const asked = fetch(streamUrl, { headers, signal: leaving.signal })
  await reading.promise
  leaving.abort()
  await t.rejects(asked)
  await until(() => feeds.size === 0)
  t.equal(hub.entryCount, 1, 'the one that is being read for')
  goOn.resolve()
  await until(() => hub.entryCount === 0)
  t.equal(reads, 1)
})
