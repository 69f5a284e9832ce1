import type { ConformanceCase } from '../conformance-case.ts'
import { expectSame } from '../deviation.ts'
import { rawHeader } from '../wire.ts'

const DURABLE = ['durable', 'true', 'auto-delete', 'false'] as const

/** `/exchange`, durable subscriptions, and what RabbitMQ takes from headers. */
export const rabbitmq: readonly ConformanceCase[] = [
  {
    id: 'exchange-topic',
    title: 'reaches the subscribers of `/topic` by `/exchange/amq.topic`, and the other way round',
    clause: 'RabbitMQ, STOMP guide, Exchange Destinations',
    needs: ['exchange'],
    run: async (trial) => {
      const peer = await trial.connect()
      const key = trial.name()
      await trial.subscribe(peer, 'topic', `/topic/${key}`)
      await trial.subscribe(peer, 'exchange', `/exchange/amq.topic/${key}`)
      for (const destination of [`/exchange/amq.topic/${key}`, `/topic/${key}`]) {
        await trial.publish(peer, destination, destination)
        for (const id of ['topic', 'exchange']) {
          const message = await peer.message(id)
          expectSame('body', message.body.toString(), destination)
          expectSame('destination', rawHeader(message, 'destination'), `/topic/${key}`)
        }
      }
    },
  },
  {
    id: 'exchange-direct',
    title: 'routes by key at a direct exchange, and to all at a fanout exchange',
    clause: 'RabbitMQ, STOMP guide, Exchange Destinations',
    needs: ['exchange'],
    run: async (trial) => {
      const peer = await trial.connect()
      const [one, two] = [trial.name(), trial.name()]
      await trial.subscribe(peer, 'one', `/exchange/amq.direct/${one}`)
      await trial.subscribe(peer, 'two', `/exchange/amq.direct/${two}`)
      await trial.subscribe(peer, 'all', '/exchange/amq.fanout')
      await trial.publish(peer, `/exchange/amq.direct/${one}`, '1')
      await trial.publish(peer, `/exchange/amq.direct/${two}`, '2')
      await trial.publish(peer, '/exchange/amq.fanout', one)
      expectSame('direct', (await peer.message('one')).body.toString(), '1')
      expectSame('direct', (await peer.message('two')).body.toString(), '2')
      // Other runs of this case use the same fanout exchange.
      await peer.next(
        'MESSAGE',
        (frame) => frame.body.toString() === one && rawHeader(frame, 'subscription') === 'all',
      )
    },
  },
  {
    id: 'exchange-missing',
    title: 'refuses to subscribe to an exchange that does not exist, and gives no RECEIPT after the ERROR',
    clause: 'RabbitMQ, STOMP guide, Exchange Destinations; STOMP 1.2, RECEIPT',
    needs: ['exchange'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['id', 'a', 'destination', `/exchange/${trial.name()}`, 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'exchange-missing-send',
    title: 'refuses a SEND to an exchange that does not exist',
    clause: 'RabbitMQ, STOMP guide, Exchange Destinations',
    needs: ['exchange'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SEND', ['destination', `/exchange/${trial.name()}/key`, 'receipt', 'r'], 'x')
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'durable-keeps',
    title: 'keeps for a durable subscription what is sent while its client is away',
    clause: 'RabbitMQ, STOMP guide, Durable Topic Subscriptions',
    needs: ['durable'],
    run: async (trial) => {
      const sender = await trial.connect()
      const topic = trial.topic()
      const id = trial.name()
      const first = await trial.connect()
      await trial.subscribe(first, id, topic, DURABLE)
      await trial.leave(first)
      await trial.publish(sender, topic, 'kept')
      const second = await trial.connect()
      await trial.subscribe(second, id, topic, DURABLE)
      expectSame('body', (await second.message(id)).body.toString(), 'kept')
      await trial.ask(second, 'UNSUBSCRIBE', ['id', id, 'destination', topic, ...DURABLE])
    },
  },
  {
    id: 'durable-removed',
    title: 'removes a durable subscription at UNSUBSCRIBE with `durable:true`',
    clause: 'RabbitMQ, STOMP guide, Durable Topic Subscriptions',
    needs: ['durable'],
    run: async (trial) => {
      const peer = await trial.connect()
      const topic = trial.topic()
      const id = trial.name()
      await trial.subscribe(peer, id, topic, DURABLE)
      await trial.ask(peer, 'UNSUBSCRIBE', ['id', id, 'destination', topic, ...DURABLE])
      await trial.publish(peer, topic, 'never')
      const later = await trial.connect()
      await trial.subscribe(later, id, topic, DURABLE)
      await trial.publish(later, topic, 'first')
      expectSame('first', (await later.message(id)).body.toString(), 'first')
      await trial.ask(later, 'UNSUBSCRIBE', ['id', id, 'destination', topic, ...DURABLE])
    },
  },
  {
    id: 'durable-no-id',
    title: 'refuses a durable subscription without id',
    clause: 'RabbitMQ, STOMP guide, Durable Topic Subscriptions',
    needs: ['durable'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.send('SUBSCRIBE', ['destination', trial.topic(), ...DURABLE, 'receipt', 'r'])
      await trial.refusal(peer, { receipt: 'r' })
    },
  },
  {
    id: 'amqp-properties',
    title: 'passes on what are properties in AMQP',
    clause: 'RabbitMQ, STOMP guide, Message Properties',
    needs: ['amqp-properties', 'queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      const sent = {
        'content-type': 'text/plain',
        'content-encoding': 'identity',
        priority: '3',
        'correlation-id': 'c-1',
        expiration: '600000',
        'amqp-message-id': 'm-1',
        timestamp: '1700000000',
        type: 'note',
        'app-id': 'suite',
      }
      for (const destination of [queue, trial.topic()]) {
        await trial.subscribe(peer, destination, destination)
        await trial.publish(peer, destination, 'x', Object.entries(sent).flat())
        const message = await peer.message(destination)
        for (const [name, value] of Object.entries(sent)) expectSame(name, rawHeader(message, name), value)
      }
    },
  },
  {
    id: 'expiration',
    title: 'drops from a queue what has expired',
    clause: 'RabbitMQ, STOMP guide, Message Properties; TTL guide',
    needs: ['expiration'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      await trial.publish(peer, queue, 'expired', ['expiration', '0'])
      await trial.publish(peer, queue, 'fresh', ['expiration', '600000'])
      await trial.subscribe(peer, 'q', queue)
      expectSame('first', (await peer.message()).body.toString(), 'fresh')
    },
  },
  {
    id: 'arguments-priority',
    title: 'gives higher priorities first, from a queue with `x-max-priority`',
    clause: 'RabbitMQ, STOMP guide, Queue Properties; Priority guide',
    needs: ['arguments'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      for (const priority of ['1', '3', '2']) {
        await trial.publish(peer, queue, priority, ['x-max-priority', '5', 'priority', priority])
      }
      await trial.subscribe(peer, 'q', queue, ['x-max-priority', '5'])
      for (const body of ['3', '2', '1']) expectSame('body', (await peer.message()).body.toString(), body)
    },
  },
  {
    id: 'arguments-length',
    title: 'drops the oldest message of a queue with `x-max-length`',
    clause: 'RabbitMQ, STOMP guide, Queue Properties',
    needs: ['arguments'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      const limit = ['x-max-length', '1']
      for (const body of ['one', 'two']) await trial.publish(peer, queue, body, limit)
      await trial.subscribe(peer, 'q', queue, limit)
      expectSame('first', (await peer.message()).body.toString(), 'two')
    },
  },
  {
    id: 'arguments-ttl',
    title: 'keeps nothing in a queue with `x-message-ttl:0` that no consumer waits for',
    clause: 'RabbitMQ, STOMP guide, Queue Properties; TTL guide',
    needs: ['arguments'],
    run: async (trial) => {
      const peer = await trial.connect()
      const queue = trial.queue()
      const limit = ['x-message-ttl', '0']
      await trial.publish(peer, queue, 'gone', limit)
      await trial.subscribe(peer, 'q', queue, limit)
      await trial.publish(peer, queue, 'taken', limit)
      expectSame('first', (await peer.message()).body.toString(), 'taken')
    },
  },
  {
    id: 'arguments-dead-letter',
    title: 'sends on to `x-dead-letter-exchange` what NACK with `requeue:false` drops',
    clause: 'RabbitMQ, STOMP guide, Queue Properties',
    versions: ['1.1', '1.2'],
    needs: ['arguments', 'nack-requeue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const [queue, key] = [trial.queue(), trial.name()]
      await trial.subscribe(peer, 'dead', `/topic/${key}`)
      const onward = ['x-dead-letter-exchange', 'amq.topic', 'x-dead-letter-routing-key', key]
      await trial.subscribe(peer, 'q', queue, ['ack', 'client-individual', ...onward])
      await trial.publish(peer, queue, 'bad', onward)
      await trial.nack(peer, await peer.message('q'), ['requeue', 'false'])
      expectSame('dead letter', (await peer.message('dead')).body.toString(), 'bad')
    },
  },
  {
    id: 'arguments-queue-name',
    title: 'names the queue of a topic subscription as `x-queue-name` says',
    clause: 'RabbitMQ, STOMP guide, User Generated Queue Names',
    needs: ['arguments', 'amq-queue'],
    run: async (trial) => {
      const peer = await trial.connect()
      const name = trial.name()
      await trial.subscribe(peer, 'a', trial.topic(), ['x-queue-name', name])
      await trial.publish(peer, `/amq/queue/${name}`, 'straight')
      expectSame('body', (await peer.message('a')).body.toString(), 'straight')
    },
  },
]
