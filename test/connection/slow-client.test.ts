import t from 'tap'
import { connectionRig } from '../support/connection-rig.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric, until } from '../support/until.ts'

await t.test('closes a client that does not read with 4500, and others get everything', async (t) => {
  const relay = await useRelay(t, { LIMIT_OUTBOX_BYTES: '262144' })
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const readers = await Promise.all(
    ['guest', 'orders', 'admin'].map((login) => StompClient.connect(t, relay.url, { login })),
  )
  const slow = await StompClient.connect(t, relay.url, { login: 'guest' })
  const gone = await StompClient.connect(t, relay.url, { login: 'guest' })
  for (const client of [...readers, slow, gone]) await client.subscribe('s', '/topic/flood')
  slow.webSocket.pause()
  gone.webSocket.pause()

  const padding = 'x'.repeat(32_768)
  let sent = 0
  while ((await metric(relay.address, 'stomp_relay_slow_clients_total')) < 2) {
    for (const last = sent + 20; sent < last; sent++) {
      await service.ask('SEND', ['destination', '/topic/flood'], `${sent} ${padding}`)
    }
    t.ok(sent < 4000, 'the kernel holds some megabytes, and no more')
  }
  t.comment(`noticed after ${((sent * padding.length) / 1_048_576).toFixed(0)} MiB`)
  await service.ask('SEND', ['destination', '/topic/flood'], 'the end')

  await t.test('the others missed nothing', async (t) => {
    for (const reader of readers) {
      await reader.next('MESSAGE', ({ body }) => Buffer.from(body).toString() === 'the end')
      const numbers = reader.inbox.map(({ body }) => parseInt(Buffer.from(body).toString(), 10))
      t.same(
        numbers,
        Array.from({ length: sent }, (_, i) => i),
      )
    }
  })
  await t.test('the slow one is told when it reads, and got a part without a gap', async (t) => {
    slow.webSocket.resume()
    const { code, reason } = await slow.closed
    t.equal(code, 4500)
    t.equal(reason, 'client reads too slowly')
    const numbers = slow.inbox.map(({ body }) => parseInt(Buffer.from(body).toString(), 10))
    t.ok(numbers.length > 0 && numbers.length < sent)
    t.same(
      numbers,
      numbers.map((_, i) => i),
    )
  })
  await t.test('one that never reads is cut off, and nothing of it is left', async (t) => {
    await until(async () => (await metric(relay.address, 'stomp_relay_connections')) === 4)
    t.equal(await metric(relay.address, 'stomp_relay_sessions'), 4)
  })
})

await t.test('closes a client with little unsent, for too long, with 4500', async (t) => {
  const rig = await connectionRig(t, { limits: { outbox: { bytes: 67_108_864, ms: 5000 } } })
  const slow = await StompClient.connect(t, rig.url, { login: 'slow' })
  const reader = await StompClient.connect(t, rig.url, { login: 'reader' })
  for (const client of [slow, reader]) await client.subscribe('s', '/topic/flood')
  slow.webSocket.pause()
  const address = { kind: 'topic', topic: 'flood' } as const
  const body = new Uint8Array(1_048_576)
  for (let i = 0; i < 16; i++) await rig.broker.publish({ address, headers: [], body, persistent: false })
  await until(async () => (await rig.metrics.slowClients.get()).values[0]?.value === 1)
  slow.webSocket.resume()
  t.equal((await slow.closed).code, 4500)
  for (let i = 0; i < 16; i++) t.equal((await reader.next('MESSAGE')).body.byteLength, body.byteLength)
})

await t.test('does not close a client for one large answer', async (t) => {
  const rig = await connectionRig(t, { limits: { outbox: { bytes: 16_384, ms: 10_000 } } })
  rig.app.subscription('/app/large', { answer: async () => 'x'.repeat(60_000) })
  const client = await StompClient.connect(t, rig.url, { login: 'alice' })
  await client.subscribe('s', '/app/large')
  t.equal((await client.next('MESSAGE')).body.byteLength, 60_002)
})
