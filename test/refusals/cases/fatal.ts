import { rawHeader } from '../../conformance/wire.ts'
import type { Outcome, Refusal, RefusedFrame, Scene } from '../refusal.ts'

const LOST = { by: 'RabbitMQ', violation: 'broker-session-lost' } as const

function lost(error: string): Pick<Refusal, 'rabbitMq' | 'relay'> {
  const detail = new RegExp(`the broker ended the session: ${error}$`)
  return { rabbitMq: { error, closes: true }, relay: { ...LOST, detail } }
}

function better(error: string, relay: Outcome): Pick<Refusal, 'rabbitMq' | 'relay'> {
  return { rabbitMq: { error, closes: true }, relay }
}

function send(destination: string, headers: readonly string[] = []): RefusedFrame {
  return { command: 'SEND', headers: ['destination', destination, ...headers], body: 'x' }
}

function subscribe(destination: string, headers: readonly string[] = []): RefusedFrame {
  return { command: 'SUBSCRIBE', headers: ['id', 'a', 'destination', destination, ...headers] }
}

/** A queue that was declared before, over AMQP. */
async function queue(scene: Scene, options: Parameters<Scene['amqp']['assertQueue']>[1]): Promise<string> {
  const name = scene.name()
  await scene.amqp.assertQueue(name, options)
  return name
}

/** RabbitMQ says ERROR and closes the connection. */
export const fatalRefusals: readonly Refusal[] = [
  {
    id: 'not-found-exchange-send',
    what: 'SEND to an exchange that does not exist',
    ...lost('not_found'),
    steps: (scene) => send(`/exchange/${scene.name()}/key`),
  },
  {
    id: 'not-found-exchange-subscribe',
    what: 'SUBSCRIBE to an exchange that does not exist',
    ...lost('not_found'),
    steps: (scene) => subscribe(`/exchange/${scene.name()}/key`),
  },
  {
    id: 'not-found-queue',
    what: 'SUBSCRIBE to `/amq/queue/…` that does not exist',
    ...lost('not_found'),
    steps: (scene) => subscribe(`/amq/queue/${scene.name()}`),
  },
  {
    id: 'not-found-in-transaction',
    what: 'COMMIT of a transaction with a SEND to an exchange that does not exist (RabbitMQ gives its RECEIPT first)',
    ...lost('not_found'),
    steps: async (scene) => {
      await scene.ask('BEGIN', ['transaction', 't'])
      const headers = ['destination', `/exchange/${scene.name()}/key`, 'transaction', 't']
      scene.peer.send('SEND', headers, 'x')
      return { command: 'COMMIT', headers: ['transaction', 't'] }
    },
  },
  {
    id: 'not-found-exclusive-again',
    what: 'SUBSCRIBE with `durable:false` again to a queue that went with its first subscription',
    ...lost('not_found'),
    steps: async (scene) => {
      const destination = `/queue/${scene.name()}`
      await scene.ask('SUBSCRIBE', ['id', 'a', 'destination', destination, 'durable', 'false'])
      await scene.ask('UNSUBSCRIBE', ['id', 'a'])
      return subscribe(destination, ['durable', 'false'])
    },
  },
  {
    id: 'access-refused-internal',
    what: 'SEND to an internal exchange',
    ...lost('access_refused'),
    steps: async (scene) => {
      const name = scene.name()
      await scene.amqp.assertExchange(name, 'direct', { internal: true, autoDelete: true })
      return send(`/exchange/${name}/key`)
    },
  },
  {
    id: 'access-refused-trace',
    what: 'SEND to the exchange that RabbitMQ traces with',
    ...better('access_refused', { by: 'relay', fault: 'forbidden' }),
    steps: () => send('/exchange/amq.rabbitmq.trace/key'),
  },
  {
    id: 'access-refused-reserved',
    what: 'SUBSCRIBE to a queue `amq.…`, which RabbitMQ keeps for itself',
    ...lost('access_refused'),
    steps: (scene) => subscribe(`/queue/amq.${scene.name()}`),
  },
  {
    id: 'access-refused-exclusive-consumer',
    what: 'SUBSCRIBE to a queue that has an exclusive consumer',
    ...lost('access_refused'),
    steps: async (scene) => {
      const name = await queue(scene, { durable: true })
      await scene.amqp.consume(name, () => undefined, { exclusive: true })
      return subscribe(`/amq/queue/${name}`)
    },
  },
  {
    id: 'precondition-durable',
    what: 'SUBSCRIBE to a queue that exists and is not durable',
    ...lost('precondition_failed'),
    steps: async (scene) => subscribe(`/queue/${await queue(scene, { durable: false })}`),
  },
  {
    id: 'precondition-arguments',
    what: 'SEND to a queue that exists with other arguments',
    ...lost('precondition_failed'),
    steps: async (scene) => {
      const name = await queue(scene, { durable: true, arguments: { 'x-max-length': 5 } })
      return send(`/queue/${name}`)
    },
  },
  {
    id: 'precondition-queue-type',
    what: 'SUBSCRIBE with an `x-queue-type` that there is not',
    ...lost('precondition_failed'),
    steps: (scene) => subscribe(`/queue/${scene.name()}`, ['x-queue-type', 'heap']),
  },
  {
    id: 'precondition-value',
    what: 'SUBSCRIBE with `x-expires:0`, out of its range',
    ...lost('precondition_failed'),
    steps: (scene) => subscribe(`/queue/${scene.name()}`, ['x-expires', '0']),
  },
  {
    id: 'precondition-negative',
    what: 'SUBSCRIBE with `x-max-length:-1`',
    ...better('precondition_failed', { by: 'relay', fault: 'invalid-header' }),
    steps: (scene) => subscribe(`/queue/${scene.name()}`, ['x-max-length', '-1']),
  },
  {
    id: 'precondition-quorum-topic',
    what: 'SUBSCRIBE to a topic with `x-queue-type:quorum` and without `durable:true`, `auto-delete:false`',
    ...lost('precondition_failed'),
    steps: (scene) => subscribe(`/topic/${scene.name()}`, ['x-queue-type', 'quorum']),
  },
  {
    id: 'precondition-expiration',
    what: 'SEND with `expiration:soon`',
    ...better('precondition_failed', { by: 'relay', fault: 'invalid-header' }),
    steps: (scene) => send(`/queue/${scene.name()}`, ['expiration', 'soon']),
  },
  {
    id: 'precondition-expiration-long',
    what: 'SEND with an `expiration` of more than ten years',
    ...better('precondition_failed', { by: 'relay', fault: 'invalid-header' }),
    steps: (scene) => send(`/queue/${scene.name()}`, ['expiration', '315360000001']),
  },
  {
    id: 'precondition-cc',
    what: 'SEND with a header `CC` or `BCC`, which are lists in AMQP',
    ...better('precondition_failed', { by: 'relay', fault: 'invalid-header' }),
    steps: (scene) => send(`/queue/${scene.name()}`, ['CC', 'other']),
  },
  {
    id: 'precondition-user-id',
    what: 'SEND with a `user-id` other than the login',
    ...better('precondition_failed', { passes: 'the header is removed: nobody speaks in another’s name' }),
    steps: (scene) => send(`/queue/${scene.name()}`, ['user-id', 'somebody']),
  },
  {
    id: 'precondition-ack-twice',
    what: 'a second ACK of a message (RabbitMQ gives its RECEIPT first)',
    ...better('precondition_failed', { by: 'relay', fault: 'not-found' }),
    steps: async (scene) => {
      const destination = `/queue/${scene.name()}`
      await scene.ask('SUBSCRIBE', ['id', 'q', 'destination', destination, 'ack', 'client'])
      await scene.ask('SEND', ['destination', destination], 'x')
      const headers = ['id', rawHeader(await scene.peer.message('q'), 'ack') ?? '']
      await scene.ask('ACK', headers)
      return { command: 'ACK', headers }
    },
  },
  {
    id: 'resource-locked',
    what: 'SUBSCRIBE to an exclusive queue of another connection',
    ...lost('resource_locked'),
    steps: async (scene) => subscribe(`/amq/queue/${await queue(scene, { exclusive: true })}`),
  },
  {
    id: 'resource-locked-send',
    what: 'SEND to `/queue/…` that is an exclusive queue of another connection',
    ...lost('resource_locked'),
    steps: async (scene) => send(`/queue/${await queue(scene, { exclusive: true })}`),
  },
  {
    id: 'duplicate-id',
    what: 'SUBSCRIBE with an id that is in use',
    ...better('Duplicated subscription identifier', { by: 'relay', violation: 'duplicate-subscription' }),
    steps: async (scene) => {
      await scene.ask('SUBSCRIBE', ['id', 'a', 'destination', `/queue/${scene.name()}`])
      return subscribe(`/queue/${scene.name()}`)
    },
  },
]
