import { request } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import pino from 'pino'
import t from 'tap'
import { registerOverload } from '../../src/http/edge/overload.ts'
import { connectionRig } from '../support/connection-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { until } from '../support/until.ts'

/** A node whose event loop the test holds up nearly all of the time, until it is told to stop. */
async function rig(t: Parameters<typeof connectionRig>[0], maxLagMs: number) {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
  const made = await connectionRig(t, {
    register: async (server, metrics) => registerOverload(server, { maxLagMs, metrics, log, sampleMs: 100 }),
    prepare: ({ server }) => {
      server.get('/healthz', async () => ({ status: 'ok' }))
      server.get('/', async () => 'here')
    },
  })
  const ask = async (path: string): Promise<IncomingMessage> => {
    const asked = request({ port: made.port, host: '127.0.0.1', path, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return response.resume()
  }
  let isBusy = false
  const hold = (): void => {
    const endMs = performance.now() + 250
    while (performance.now() < endMs);
    if (isBusy) setTimeout(hold, 1)
  }
  const beBusy = (is: boolean): void => {
    if (is && !isBusy) setTimeout(hold, 1)
    isBusy = is
  }
  t.teardown(() => beBusy(false))
  return { ...made, lines, ask, beBusy }
}

/** Machines are shared: the event loop may be late by itself for a moment. */
async function connected(t: Parameters<typeof connectionRig>[0], url: string): Promise<StompClient> {
  let client: StompClient | undefined
  await until(async () => {
    client = await StompClient.connect(t, url, { login: 'alice' }).catch(() => undefined)
    return client !== undefined
  })
  if (client === undefined) throw new Error('unreachable')
  return client
}

await t.test('refuses requests and upgrades while the event loop lags, and nothing else', async (t) => {
  const { url, ask, beBusy, lines, metrics } = await rig(t, 150)
  // It may be late by itself while the test begins.
  const client = await connected(t, url)
  beBusy(true)
  await until(async () => (await ask('/')).statusCode === 503)
  const refused = await ask('/')
  t.equal(refused.statusCode, 503)
  t.equal(refused.headers['retry-after'], '5')
  t.match(refused.headers['content-type'], 'application/problem+json')
  t.equal((await ask('/healthz')).statusCode, 200)
  await t.rejects(StompClient.open(t, url), /503/)
  await client.subscribe('s', '/topic/a')
  client.send('SEND', ['destination', '/topic/a'], 'served')
  t.equal(Buffer.from((await client.next('MESSAGE')).body).toString(), 'served')
  beBusy(false)
  await until(async () => (await ask('/')).statusCode === 200)
  await connected(t, url)
  t.match(await metrics.text(), /requests_refused_total\{reason="overload"\} ([3-9]|\d{2,})/)
  const told = lines.filter((line) => line.includes('"event":"overload"')).length
  // A machine that is busy itself may look as if the lag had ended in between.
  t.ok(told === 1 || told === 2, `${told} times, not for each of three and more`)
})

await t.test('has no such bound with 0', async (t) => {
  const { ask, beBusy } = await rig(t, 0)
  beBusy(true)
  for (let i = 0; i < 5; i++) t.equal((await ask('/')).statusCode, 200)
})
