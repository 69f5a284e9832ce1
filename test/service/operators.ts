import type { Test } from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { useRelay } from '../support/relay.ts'
import type { Service } from '../support/service-rig.ts'

/** CONTRACT, section 7: what operators and descriptions ask for. */
export async function operators(t: Test, { west, east }: Service): Promise<void> {
  for (const node of new Set([west, east])) {
    const anybody = ApiClient.nobody(node)

    await t.test('GET /healthz, /readyz, /metrics answer whoever asks', async (t) => {
      t.match(await anybody.page('/healthz'), { status: 200, body: { status: 'ok' } })
      t.match(await anybody.page('/readyz'), {
        status: 200,
        body: { status: 'ready', broker: { isUp: true } },
      })
      const metrics = await anybody.page('/metrics')
      t.equal(metrics.status, 200)
      t.match(metrics.text, /^stomp_relay_\w+/m)
    })

    await t.test('GET /openapi.json, /asyncapi.json describe what is there', async (t) => {
      t.match(await anybody.page('/openapi.json'), { status: 200, body: { openapi: /^3\.1/ } })
      t.match(await anybody.page('/asyncapi.json'), { status: 200, body: { asyncapi: /^3\./ } })
    })
  }

  await t.test('GET /readyz says 503 and why while RabbitMQ is away', async (t) => {
    // Nothing listens there.
    const away = {
      RABBITMQ_STOMP_URL: 'stomp://guest:guest@127.0.0.1:1',
      RABBITMQ_AMQP_URL: 'amqp://guest:guest@127.0.0.1:1',
    }
    const node = await useRelay(t, away)
    t.match(await ApiClient.nobody(node).page('/readyz'), {
      status: 503,
      body: { status: 'not-ready', broker: { isUp: false } },
    })
  })
}
