import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { useRelay } from '../support/relay.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

t.setTimeout(120_000)

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })

async function announce(title: string): Promise<void> {
  const response = await fetch(`${relay.address}/api/v1/admin/broadcasts`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await testToken('root', 'admin')}`,
    },
    body: JSON.stringify({ title, message: 'm' }),
  })
  if (response.status !== 202) throw new Error(await response.text())
}

/** The lines that `curl -N` prints of the stream, as they come. */
async function curl(test: Test, ...args: readonly string[]) {
  const authorization = `Authorization: Bearer ${await testToken('alice', 'user')}`
  const url = `${relay.address}/api/v1/notifications/stream`
  const child = spawn('curl', ['-sN', '-H', authorization, ...args, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const end = async (): Promise<void> => {
    child.kill('SIGINT')
    await ended
  }
  test.teardown(end)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const until = async (part: string): Promise<readonly string[]> => {
    const read: string[] = []
    for (;;) {
      const { done, value } = await lines.next()
      if (done === true) throw new Error(`curl ended after ${read.join('; ')}`)
      read.push(value)
      if (value.includes(part)) return read
    }
  }
  return { until, end }
}

await t.test('curl -N prints each event when it happens, and goes on where it was ended', async (t) => {
  const first = await curl(t)
  await first.until('event: connected')
  await announce('one')
  const lines = await first.until('"one"')
  const id = lines.findLast((line) => line.startsWith('id: '))?.slice('id: '.length) ?? ''
  t.ok(lines.includes('event: broadcast'))
  await first.end()
  await announce('two')
  await announce('three')
  const second = await curl(t, '-H', `Last-Event-ID: ${id}`)
  const missed = [...(await second.until('"two"')), ...(await second.until('"three"'))]
  t.equal(missed.filter((line) => line.startsWith('event: broadcast')).length, 2)
  t.notOk(missed.some((line) => line.includes('"one"')))
  await announce('four')
  t.equal((await second.until('"four"')).filter((line) => line.startsWith('data: ')).length, 1)
})
