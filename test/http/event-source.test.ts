import { join } from 'node:path'
import t from 'tap'
import type { Page } from 'playwright-core'
import { servePage, usePage } from '../support/browser.ts'
import { temporaryFolder, useRelay, type TestRelay } from '../support/relay.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

// What an unmodified browser does with the stream, on its own: no script of ours touches a connection.

const PAGE = `<!doctype html><title>feed</title><script>
  const seen = []
  function listen(url) {
    const source = new EventSource(url)
    for (const name of ['connected', 'notification', 'broadcast', 'order', 'operation', 'token-expired']) {
      source.addEventListener(name, (event) => {
        seen.push({ event: name, data: JSON.parse(event.data), id: event.lastEventId })
      })
    }
    source.onerror = () => seen.push({ event: 'error', data: { readyState: source.readyState } })
    return source
  }
  let source
</script>`

interface Seen {
  readonly event: string
  readonly data: Record<string, unknown>
  readonly id?: string
}

/** Everything that the page has seen, as soon as it is so many of these events. */
async function seen(page: Page, event: string, count: number): Promise<Seen[]> {
  await page.waitForFunction(`seen.filter(({ event }) => event === '${event}').length >= ${count}`)
  return (await page.evaluate('seen')) as Seen[]
}

async function announce(relay: TestRelay, titles: readonly string[]): Promise<void> {
  const authorization = `Bearer ${await testToken('root', 'admin')}`
  for (const title of titles) {
    const response = await fetch(`${relay.address}/api/v1/admin/broadcasts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ title, message: 'm' }),
    })
    if (response.status !== 202) throw new Error(await response.text())
  }
}

const titles = (all: readonly Seen[]): unknown[] =>
  all.filter(({ event }) => event === 'broadcast').map(({ data }) => data['title'])

await t.test('a browser comes back by itself, and misses and doubles nothing', async (t) => {
  const origin = await servePage(t, PAGE)
  const database = join(await temporaryFolder(t), 'relay.db')
  const env = {
    AUTH_JWT_SECRET: TEST_SECRET,
    ALLOWED_ORIGINS: origin,
    DATABASE_URL: `sqlite:${database}`,
  }
  const first = await useRelay(t, env)
  const { port } = new URL(first.address)
  const page = await usePage(t)
  await page.goto(origin)
  const token = await testToken('alice', 'user')
  const url = `${first.address}/api/v1/notifications/stream?access_token=${token}`
  await page.evaluate(`source = listen('${url}')`)
  t.match(await seen(page, 'connected', 1), [{ event: 'connected', data: { user: 'alice' } }])
  await announce(first, ['1', '2', '3'])
  t.same(titles(await seen(page, 'broadcast', 3)), ['1', '2', '3'])

  await first.close()
  await seen(page, 'error', 1)
  // Nobody listens where the browser looks, and the stream goes on.
  const elsewhere = await useRelay(t, env)
  await announce(elsewhere, ['4', '5'])
  await elsewhere.close()
  const again = await useRelay(t, { ...env, PORT: port })
  await announce(again, ['6'])
  const all = await seen(page, 'broadcast', 6)
  t.same(titles(all), ['1', '2', '3', '4', '5', '6'])
  const [, reconnected] = all.filter(({ event }) => event === 'connected')
  t.match(reconnected, { data: { recovered: true } }, 'by the id that the browser sent')

  await page.evaluate('source.close()')
  await announce(again, ['7'])
  const lastEventId = all.at(-1)?.id
  await page.evaluate(`seen.length = 0; source = listen('${url}&lastEventId=${lastEventId}')`)
  t.same(titles(await seen(page, 'broadcast', 1)), ['7'], 'another page goes on with an id of the first')
})

await t.test(
  'a browser is let in from allowed origins alone, and gives up where its token is over',
  async (t) => {
    const origin = await servePage(t, PAGE)
    const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET, ALLOWED_ORIGINS: origin })
    const token = await testToken('alice', 'user')
    const url = `${relay.address}/api/v1/notifications/stream?access_token=${token}`
    const CLOSED = 2

    const stranger = await usePage(t)
    await stranger.goto(await servePage(t, PAGE))
    await stranger.evaluate(`source = listen('${url}')`)
    t.match(await seen(stranger, 'error', 1), [{ event: 'error', data: { readyState: CLOSED } }])

    const page = await usePage(t)
    await page.goto(origin)
    await page.evaluate(`source = listen('${url}x')`)
    t.match(await seen(page, 'error', 1), [{ event: 'error', data: { readyState: CLOSED } }])
    const readable = `fetch('${url}x').then((response) => response.json())`
    t.match(await page.evaluate(readable), { status: 401, code: 'unauthenticated' })
    const withHeaders = `fetch('${url}', { headers: { authorization: 'Bearer ${token}', 'last-event-id': 'x' } })`
    t.equal(
      await page.evaluate(`${withHeaders}.then((response) => response.status)`),
      200,
      'a preflight went well',
    )
  },
)
