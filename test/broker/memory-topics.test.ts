import t from 'tap'
import { noCounts, DEFAULT_MEMORY_LIMITS } from '../../src/broker/memory/memory-limits.ts'
import { QueueTable } from '../../src/broker/memory/queue-table.ts'
import { TopicExchange } from '../../src/broker/memory/topic-exchange.ts'
import { Turn } from '../../src/broker/memory/turn.ts'

await t.test('keeps a binding for as long as a watch or a queue wants it, and no longer', async (t) => {
  const turn = new Turn()
  t.teardown(() => {
    turn.close()
  })
  const queues = new QueueTable({ limits: DEFAULT_MEMORY_LIMITS, counters: noCounts(), turn })
  const queue = queues.declarePrivate('drop-oldest')
  const exchange = new TopicExchange()
  for (const pattern of ['a', '#']) {
    exchange.watch(pattern)
    exchange.watch(pattern)
    exchange.bind(pattern, queue)
    exchange.unwatch(pattern)
    exchange.unbind(pattern, queue)
    t.equal(exchange.size, 1)
    exchange.bind(pattern, queue)
    exchange.unwatch(pattern)
    t.equal(exchange.size, 1)
    exchange.unbind(pattern, queue)
    t.equal(exchange.size, 0)
  }
})
