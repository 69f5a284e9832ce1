import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { everyReaderHasEachEventOnce, LONG_MS } from './property.ts'

t.setTimeout(LONG_MS)

await t.test(
  'each event once and in order, whatever happens, with RabbitMQ between the nodes',
  { timeout: LONG_MS },
  async (t) => {
    await everyReaderHasEachEventOnce(t, {
      database: 'PostgreSQL',
      lanes: 4,
      runs: 40,
      openDatabase: () => usePostgres(t),
      rabbitMq: await useRabbitMq(t),
    })
  },
)
