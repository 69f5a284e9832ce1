import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { feedRig, KINDS } from '../support/feed-rig.ts'
import { SseReader } from '../support/sse-reader.ts'
import { until } from '../support/until.ts'

const FAR = '2999-01-01T00:00:00.000Z'

/** What an event was, by its kind and the number that it carries. */
async function nextLabel(reader: SseReader): Promise<string> {
  const { event, data } = await reader.nextJson()
  return `${event} ${String(data['n'])}`
}

async function labels(reader: SseReader, count: number): Promise<string[]> {
  const found: string[] = []
  while (found.length < count) found.push(await nextLabel(reader))
  return found
}

await t.test('each id resumes exactly what came after it, of all four streams', async (t) => {
  const { open, append } = await feedRig(t)
  const live = await open()
  const ids = [(await live.next()).id]
  for (let n = 0; n < 24; n++) await append(KINDS[(n * n + (n >> 2)) % 4]!, { n })
  const seen: string[] = []
  while (seen.length < 24) {
    const { event, id, data } = await live.nextJson()
    seen.push(`${event} ${String(data['n'])}`)
    ids.push(id)
  }
  t.equal(new Set(ids).size, 25)
  for (const [i, id] of ids.entries()) {
    const resumed = await open(id)
    t.match(await resumed.nextJson(), { event: 'connected', id, data: { recovered: true } })
    const rest = await labels(resumed, 24 - i)
    t.same(rest.toSorted(), seen.slice(i).toSorted(), `${i} were seen`)
    for (const kind of KINDS) {
      const ofKind = (all: string[]): string[] => all.filter((each) => each.startsWith(kind))
      t.same(ofKind(rest), ofKind(seen.slice(i)), 'in order')
    }
    await resumed.close()
  }
})

await t.test('says nothing before it knows of each stream whether it can be resumed', async (t) => {
  const { open, append, hook } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  await first.close()
  for (const kind of KINDS) for (const n of [1, 2, 3]) await append(kind, { n })
  const reading = deferred()
  const goOn = deferred()
  hook.beforeRead = async (stream) => {
    if (!stream.endsWith('orders')) return
    reading.resolve()
    await goOn.promise
  }
  const opening = open(id)
  await reading.promise
  let isOpen = false
  void opening.then(() => (isOpen = true))
  await append('broadcast', { n: 4 })
  await append('notification', { n: 4 })
  t.equal(isOpen, false)
  goOn.resolve()
  const reader = await opening
  t.match(await reader.nextJson(), { event: 'connected', id, data: { recovered: true } })
  const found = await labels(reader, 14)
  for (const [kind, count] of Object.entries({ notification: 4, broadcast: 4, order: 3, operation: 3 })) {
    const ofKind = found.filter((each) => each.startsWith(kind))
    t.same(
      ofKind,
      [1, 2, 3, 4].slice(0, count).map((n) => `${kind} ${n}`),
    )
  }
})

await t.test('shows what a service sent without an id of its own, whatever it holds', async (t) => {
  const { open, append, publish } = await feedRig(t)
  const reader = await open()
  const { id } = await reader.next()
  for (const body of ['', 'a\nb', 'a\r\nid: 1:1\r\rdata: x\n', ' led by a space', '{"n":1}']) {
    await publish('notification', body)
    const event = await reader.next()
    t.match(event, { event: 'notification', data: body.replaceAll(/\r\n|\r/g, '\n'), id })
  }
  await append('notification', { n: 2 })
  t.equal(await nextLabel(reader), 'notification 2')
})

await t.test('says that it is alive', async (t) => {
  const { open } = await feedRig(t, { keepAliveMs: 20 })
  const reader = await open()
  t.same((await reader.comments.atLeast(3)).slice(0, 3), ['keep-alive', 'keep-alive', 'keep-alive'])
})

await t.test('says of which stream too much is gone, and resumes the others', async (t) => {
  const { open, append, store, counters } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  for (let n = 1; n <= 4; n++) await append('order', { n })
  for (let n = 1; n <= 4; n++) await append('broadcast', { n })
  while ((await store.outbox.pending(0, 1)).length > 0);
  t.equal(await store.log.trim(FAR, 3), 3)
  const reader = await open(id)
  t.match(await reader.nextJson(), {
    data: { recovered: false, reason: 'history-trimmed', reasons: { order: 'history-trimmed' } },
  })
  t.same(await labels(reader, 4), ['broadcast 1', 'broadcast 2', 'broadcast 3', 'broadcast 4'])
  await append('order', { n: 5 })
  t.equal(await nextLabel(reader), 'order 5')
  t.equal(counters.notRecovered, 1)
  const again = await open(reader.lastEventId)
  t.match(await again.nextJson(), { data: { recovered: true } })
})

await t.test('says so too where events vanish while they are being sent', async (t) => {
  const { open, append, store, hook } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  for (let n = 1; n <= 150; n++) await append('order', { n })
  while ((await store.outbox.pending(0, 1)).length > 0);
  let reads = 0
  hook.beforeRead = async (stream) => {
    // Pages hold 100 events: the second one is not there any more.
    if (stream.endsWith('orders') && ++reads === 2) await store.log.trim(FAR, 1000)
  }
  const reader = await open(id)
  t.match(await reader.nextJson(), { event: 'connected', data: { recovered: true } })
  await labels(reader, 100)
  const again = await reader.nextJson()
  t.match(again, { event: 'connected', data: { recovered: false, reasons: { order: 'history-trimmed' } } })
  await append('order', { n: 151 })
  t.equal(await nextLabel(reader), 'order 151')
  const resumed = await open(again.id)
  t.match(await resumed.nextJson(), { data: { recovered: true } })
  t.equal(await nextLabel(resumed), 'order 151')
})

await t.test('ends where the log cannot be read, and resumes where it ended', async (t) => {
  const { open, append, hook, streamUrl, alice } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  for (let n = 1; n <= 150; n++) await append('order', { n })
  let reads = 0
  hook.beforeRead = () => {
    if (++reads === 2) throw new Error('away')
  }
  const reader = await open(id)
  await reader.next()
  await reader.ended
  await labels(reader, 100)
  const resumed = await open(reader.lastEventId)
  await resumed.next()
  t.equal(await nextLabel(resumed), 'order 101')

  reads = 1
  const response = await fetch(streamUrl, { headers: { ...alice, 'last-event-id': id } })
  t.equal(response.status, 500, 'nothing was said yet')
  t.match(await response.json(), { code: 'internal' })
})

await t.test('bounds what comes while the streams are being opened', async (t) => {
  const { append, hook, streamUrl, alice, open, feeds } = await feedRig(t)
  const first = await open()
  const { id } = await first.next()
  await append('order', { n: 1 })
  const goOn = deferred()
  const reading = deferred()
  hook.beforeRead = async () => {
    reading.resolve()
    await goOn.promise
  }
  const answer = fetch(streamUrl, { headers: { ...alice, 'last-event-id': id } })
  await reading.promise
  const padding = 'x'.repeat(8000)
  for (let n = 0; n < 80; n++) await append('broadcast', { n, padding })
  const response = await answer
  t.equal(response.status, 503)
  t.match(await response.json(), { code: 'too-many-pending' })
  goOn.resolve()
  await first.close()
  await until(() => feeds.size === 0)
})

await t.test('says when its token is over, and ends', async (t) => {
  const { sign, streamUrl, pollUrl } = await feedRig(t)
  const token = await sign(2)
  const reader = await SseReader.open(t, `${streamUrl}?token=${token}`)
  t.equal((await reader.next()).event, 'connected')
  const { lastEventId } = reader
  const poll = fetch(`${pollUrl}?token=${token}&after=${lastEventId}&wait=60`)
  t.same(await reader.nextJson(), {
    event: 'token-expired',
    id: lastEventId,
    data: { code: 'token-expired', message: 'the token ran out' },
  })
  await reader.ended
  t.same(await (await poll).json(), { events: [], lastEventId, recovered: true })
})
