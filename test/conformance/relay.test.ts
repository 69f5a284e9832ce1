import t from 'tap'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { checkTarget } from './check-target.ts'
import { JUDGED } from './judged.ts'

// A missed heart-beat of ten seconds shows only after twenty.
t.setTimeout(240_000)

await t.test('the relay over RabbitMQ does what the conformance suite says', async (t) => {
  const { stompUrl, amqpUrl } = await useRabbitMq(t)
  const { url } = await useRelay(t, {
    RABBITMQ_STOMP_URL: stompUrl,
    RABBITMQ_AMQP_URL: amqpUrl,
    LIMIT_SESSIONS_PER_USER: '1000',
  })
  await checkTarget(t, JUDGED.relay, { url, host: '/' })
})
