import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import { Value } from 'typebox/value'
import { FEED_POLL, type FeedPoll } from '../../protocol/payload/event-stream.ts'
import { feedRig, KINDS } from '../support/feed-rig.ts'
import { testToken } from '../support/token.ts'
import { until } from '../support/until.ts'

const rig = await feedRig(t)
const { append, pollUrl, alice, feeds, store } = rig

async function poll(query: string, headers: Readonly<Record<string, string>> = alice): Promise<FeedPoll> {
  const response = await fetch(`${pollUrl}?${query}`, { headers })
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^application\/json/)
  t.equal(response.headers.get('cache-control'), 'no-store')
  const answer = (await response.json()) as FeedPoll
  t.ok(Value.Check(FEED_POLL, answer), 'as PROTOCOL.md has it')
  return answer
}

const here = async (): Promise<string> => (await poll('')).lastEventId

await t.test('says where one begins, at once', async (t) => {
  await append('order', { n: 0 })
  const answer = await poll('')
  t.same(answer, { events: [], lastEventId: answer.lastEventId })
  t.same(await poll('after='), answer)
  t.same(await poll(`after=${answer.lastEventId}&wait=0`), { ...answer, recovered: true })
})

await t.test('answers at once with what came after a position, at most so many', async (t) => {
  const after = await here()
  for (let n = 0; n < 120; n++) await append(KINDS[n % 4]!, { n })
  const all = await poll(`after=${after}`)
  t.equal(all.events.length, 100, 'as many as there may be')
  const numbers: number[] = []
  let position = after
  for (const limit of [1, 2, 50, 100]) {
    const { events, lastEventId, recovered } = await poll(`after=${position}&limit=${limit}`)
    t.equal(recovered, true)
    t.ok(events.length <= limit)
    t.equal(events.at(-1)?.id, lastEventId)
    numbers.push(...events.map(({ data }) => (data as { n: number }).n))
    position = lastEventId
  }
  t.same(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 120 }, (_, n) => n),
  )
  t.same(await poll(`after=${position}&wait=0`), { events: [], lastEventId: position, recovered: true })
})

await t.test('waits for the first event, and not a moment longer', async (t) => {
  for (const kind of KINDS) {
    const after = await here()
    const answer = poll(`after=${after}&wait=60`)
    await until(() => feeds.size === 1)
    await append(kind, { kind })
    t.match(await answer, { events: [{ event: kind, data: { kind } }], recovered: true })
  }
})

await t.test('answers with nothing when nothing comes', async (t) => {
  const after = await here()
  t.same(await poll(`after=${after}&wait=1`), { events: [], lastEventId: after, recovered: true })
})

await t.test('shows what is no JSON as text', async (t) => {
  const after = await here()
  const answer = poll(`after=${after}&wait=60`)
  await until(() => feeds.size === 1)
  // It may come before the poll has its subscription, and is not stored.
  let isDone = false
  void answer.then(() => (isDone = true))
  await until(async () => {
    await rig.publish('notification', 'no JSON')
    return isDone
  })
  t.match((await answer).events[0], { event: 'notification', data: 'no JSON', id: after })
})

await t.test('says at once that it cannot resume, and where to go on', async (t) => {
  const after = await here()
  const nonsense = await poll('after=nonsense&wait=60')
  t.match(nonsense, { events: [], lastEventId: after, recovered: false, reason: 'malformed' })
  for (let n = 1; n <= 3; n++) await append('order', { n })
  await append('broadcast', { n: 4 })
  while ((await store.outbox.pending(0, 1)).length > 0);
  await store.log.trim('2999-01-01T00:00:00.000Z', 10_000)
  await append('broadcast', { n: 5 })
  const trimmed = await poll(`after=${after}`)
  t.match(trimmed, {
    events: [],
    recovered: false,
    reasons: { order: 'history-trimmed', broadcast: 'history-trimmed' },
  })
  t.same(await poll(`after=${trimmed.lastEventId}&wait=0`), {
    events: [],
    lastEventId: trimmed.lastEventId,
    recovered: true,
  })
})

await t.test('answers errors by problem details', async (t) => {
  const token = alice.authorization.slice('Bearer '.length)
  for (const [query, headers, status, detail] of [
    ['', {}, 401, /bearer token/],
    ['token=nonsense', {}, 401, /bearer token/],
    ['wait=61', alice, 400, /^wait must be <= 60$/],
    ['wait=-1', alice, 400, /^wait /],
    ['wait=1.5', alice, 400, /^wait /],
    ['wait=', alice, 400, /^wait /],
    ['wait=1e1', alice, 400, /^wait /],
    ['wait=1&wait=2', alice, 400, /^wait /],
    ['limit=0', alice, 400, /^limit must be >= 1$/],
    ['limit=101', alice, 400, /^limit must be <= 100$/],
    ['after=a&after=b', alice, 400, /^after /],
  ] as const) {
    const response = await fetch(`${pollUrl}?${query}`, { headers })
    t.equal(response.status, status, query)
    t.match(response.headers.get('content-type'), /^application\/problem\+json/)
    t.match(await response.json(), { status, detail }, query)
  }
  t.match(await poll(`access_token=${token}&unknown=1`, {}), { events: [] })
})

await t.test('is about the caller, whoever they are', async (t) => {
  const headers = { authorization: `Bearer ${await testToken('root', 'admin')}` }
  const after = (await poll('', headers)).lastEventId
  t.not(after.split(',')[0], (await here()).split(',')[0])
  t.equal(after.split(',')[1], (await here()).split(',')[1], 'announcements are for all')
})

await t.test('gives everything back when the caller leaves', async (t) => {
  const after = await here()
  for (let i = 0; i < 10; i++) {
    const asked = request(`${pollUrl}?after=${after}&wait=60`, { headers: alice })
    asked.on('error', () => undefined)
    asked.end()
    await once(asked, 'finish')
    if (i % 2 === 0) await until(() => feeds.size > 0)
    asked.destroy()
  }
  await until(() => feeds.size === 0)
  t.equal(rig.registry.size, 0)
  await append('order', { n: 1 })
  t.match(await poll(`after=${after}`), { events: [{ event: 'order' }] })
})
