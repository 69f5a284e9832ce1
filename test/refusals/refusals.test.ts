import t from 'tap'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { fatalRefusals } from './cases/fatal.ts'
import { silentRefusals } from './cases/silent.ts'
import { softRefusals } from './cases/soft.ts'
import { judgeRefusal } from './judge-refusal.ts'

t.setTimeout(240_000)

const rabbit = await useRabbitMq(t)
const relay = await useRelay(t, {
  RABBITMQ_STOMP_URL: rabbit.stompUrl,
  RABBITMQ_AMQP_URL: rabbit.amqpUrl,
  LIMIT_SESSIONS_PER_USER: '1000',
})

for (const refusal of [...softRefusals, ...fatalRefusals, ...silentRefusals]) {
  await judgeRefusal(t, refusal, { placeOf: async () => ({ ...rabbit, relayUrl: relay.url }) })
}
