import { rawHeader } from '../../conformance/wire.ts'
import type { Refusal, RefusedFrame, Scene } from '../refusal.ts'

function frame(command: string, headers: readonly string[], body?: string): RefusedFrame {
  return { command, headers, ...(body !== undefined && { body }) }
}

function send(destination: string, headers: readonly string[] = []): RefusedFrame {
  return frame('SEND', ['destination', destination, ...headers], 'x')
}

function subscribe(destination: string, headers: readonly string[] = [], id = 'a'): RefusedFrame {
  return frame('SUBSCRIBE', ['id', id, 'destination', destination, ...headers])
}

/** An acknowledgement needs a session at the broker that has something to acknowledge. */
async function withQueue(scene: Scene): Promise<string> {
  const queue = `/queue/${scene.name()}`
  await scene.ask('SUBSCRIBE', ['id', 'q', 'destination', queue, 'ack', 'client'])
  await scene.ask('SEND', ['destination', queue], 'x')
  return rawHeader(await scene.peer.message('q'), 'ack') ?? ''
}

const soft = (error: string): Refusal['rabbitMq'] => ({ error, closes: false })
const byRelay = { by: 'relay' } as const

/** RabbitMQ says ERROR and keeps the connection open. */
export const softRefusals: readonly Refusal[] = [
  {
    id: 'destination-missing-send',
    what: 'SEND without `destination`',
    rabbitMq: soft('Missing destination'),
    relay: { ...byRelay, violation: 'missing-header', detail: /SEND needs destination/ },
    steps: () => frame('SEND', [], 'x'),
  },
  {
    id: 'destination-missing-subscribe',
    what: 'SUBSCRIBE without `destination`',
    rabbitMq: soft('Missing destination'),
    relay: { ...byRelay, violation: 'missing-header', detail: /SUBSCRIBE needs destination/ },
    steps: () => frame('SUBSCRIBE', ['id', 'a']),
  },
  {
    id: 'destination-unknown',
    what: 'SEND to `/amq/other`, of no known kind',
    rabbitMq: soft('Unknown destination'),
    relay: { ...byRelay, fault: 'forbidden' },
    steps: () => send('/amq/other'),
  },
  ...[
    ['/queue/a/b', 'a slash in the name of a queue'],
    ['/topic/a/b', 'a slash in a topic'],
    ['/amq/queue/a/b', 'a slash in the name of an existing queue'],
    ['/exchange/amq.topic/a/b', 'a slash in a routing key'],
    ['/exchange//k', 'an exchange without a name'],
    ['/temp-queue/x', 'a temporary queue'],
  ].flatMap(([destination = '', why = '']): Refusal[] => [
    {
      id: `destination-invalid-send:${destination}`,
      what: `SEND to \`${destination}\`: ${why}`,
      rabbitMq: soft('Invalid destination'),
      relay: { ...byRelay, fault: 'invalid-destination' },
      steps: () => send(destination),
    },
    {
      id: `destination-invalid-subscribe:${destination}`,
      what: `SUBSCRIBE to \`${destination}\``,
      rabbitMq: soft('Invalid destination'),
      relay: { ...byRelay, fault: 'invalid-destination' },
      steps: () => subscribe(destination),
    },
  ]),
  {
    id: 'destination-empty',
    what: 'SEND to `/queue/`',
    rabbitMq: soft('Invalid destination'),
    relay: { ...byRelay, fault: 'forbidden' },
    steps: () => send('/queue/'),
  },
  {
    id: 'header-message-id',
    what: 'SEND with a `message-id`',
    rabbitMq: soft('Invalid header'),
    relay: { passes: 'the header is removed, and the message goes its way' },
    steps: (scene) => send(`/queue/${scene.name()}`, ['message-id', 'mine']),
  },
  {
    id: 'header-ack-malformed',
    what: 'ACK of an `id` that RabbitMQ did not make',
    rabbitMq: soft('Invalid header'),
    relay: { ...byRelay, fault: 'not-found' },
    steps: async (scene) => {
      await withQueue(scene)
      return frame('ACK', ['id', 'nothing'])
    },
  },
  {
    id: 'header-ack-missing',
    what: 'ACK without `id`',
    rabbitMq: soft('Missing header'),
    relay: { ...byRelay, violation: 'missing-header', detail: /ACK needs id/ },
    steps: async (scene) => {
      await withQueue(scene)
      return frame('ACK', [])
    },
  },
  {
    id: 'header-durable-no-id',
    what: 'SUBSCRIBE with `durable:true` and without `id`',
    rabbitMq: soft('Missing Header'),
    relay: { ...byRelay, violation: 'missing-header', detail: /SUBSCRIBE needs id/ },
    steps: (scene) => frame('SUBSCRIBE', ['destination', `/topic/${scene.name()}`, 'durable', 'true']),
  },
  ...['BEGIN', 'COMMIT', 'ABORT'].map((command): Refusal => ({
    id: `transaction-missing-${command.toLowerCase()}`,
    what: `${command} without \`transaction\``,
    rabbitMq: soft('Missing transaction'),
    relay: { ...byRelay, violation: 'missing-header', detail: /needs transaction/ },
    steps: () => frame(command, []),
  })),
  ...(['SEND', 'COMMIT', 'ABORT'] as const).map((command): Refusal => ({
    id: `transaction-unknown-${command.toLowerCase()}`,
    what: `${command} of a transaction that was not begun`,
    rabbitMq: soft('Bad transaction'),
    relay: { ...byRelay, violation: 'unknown-transaction' },
    steps: (scene) => {
      const headers = ['transaction', 'none']
      return command === 'SEND' ? send(`/queue/${scene.name()}`, headers) : frame(command, headers)
    },
  })),
  {
    id: 'command-unknown',
    what: 'a command that there is not',
    rabbitMq: soft('Bad command'),
    relay: { ...byRelay, violation: 'unknown-command' },
    steps: () => ({ raw: 'PUBLISH\ndestination:/topic/x\n\nx\0' }),
  },
  {
    id: 'command-before-connect',
    what: 'SEND before CONNECT',
    rabbitMq: soft('Illegal command'),
    relay: { ...byRelay, violation: 'not-connected' },
    isFirst: true,
    steps: () => send('/queue/early'),
  },
  {
    id: 'unsubscribe-unknown',
    what: 'UNSUBSCRIBE of an id that is not subscribed',
    rabbitMq: soft('No subscription found'),
    relay: { ...byRelay, violation: 'unknown-subscription' },
    steps: () => frame('UNSUBSCRIBE', ['id', 'nothing']),
  },
  {
    id: 'unsubscribe-unknown-durable',
    what: 'UNSUBSCRIBE with `durable:true` of an id that this session has not subscribed to',
    rabbitMq: soft('No subscription found'),
    relay: { by: 'RabbitMQ', fault: 'unknown-subscription' },
    steps: () => frame('UNSUBSCRIBE', ['id', 'nothing', 'durable', 'true']),
  },
  {
    id: 'unsubscribe-no-id',
    what: 'UNSUBSCRIBE without `id` and `destination`',
    rabbitMq: soft('Missing destination or id'),
    relay: { ...byRelay, violation: 'missing-header', detail: /UNSUBSCRIBE needs id/ },
    steps: () => frame('UNSUBSCRIBE', []),
  },
  {
    id: 'unsubscribe-temporary',
    what: 'UNSUBSCRIBE of an id that begins with `/temp-queue/`',
    rabbitMq: soft('Invalid id'),
    relay: { ...byRelay, violation: 'unknown-subscription' },
    steps: () => frame('UNSUBSCRIBE', ['id', '/temp-queue/x']),
  },
  {
    id: 'subscribe-temporary',
    what: 'SUBSCRIBE with an id that begins with `/temp-queue/`',
    rabbitMq: soft('Processing error'),
    relay: { ...byRelay, violation: 'bad-header', detail: /begin with/ },
    steps: (scene) => subscribe(`/queue/${scene.name()}`, [], '/temp-queue/x'),
  },
  {
    id: 'ack-late',
    what: 'ACK of a message whose subscription has ended',
    rabbitMq: soft('Subscription not found'),
    relay: { ...byRelay, fault: 'unknown-subscription' },
    steps: async (scene) => {
      const id = await withQueue(scene)
      await scene.ask('UNSUBSCRIBE', ['id', 'q'])
      return frame('ACK', ['id', id])
    },
  },
  {
    id: 'ack-mode',
    what: 'SUBSCRIBE with `ack:later`',
    rabbitMq: soft('Processing error'),
    relay: { ...byRelay, violation: 'bad-header', detail: /ack:later/ },
    steps: (scene) => subscribe(`/queue/${scene.name()}`, ['ack', 'later']),
  },
  {
    id: 'prefetch-text',
    what: 'SUBSCRIBE with `prefetch-count:many`',
    rabbitMq: soft('Processing error'),
    relay: { ...byRelay, fault: 'invalid-header' },
    steps: (scene) => subscribe(`/queue/${scene.name()}`, ['prefetch-count', 'many']),
  },
  ...[
    ['priority', 'high'],
    ['x-max-length', 'long'],
    ['durable', 'maybe'],
  ].map(([name = '', value = '']): Refusal => ({
    id: `value-${name}`,
    what: `SEND to a queue with \`${name}:${value}\``,
    rabbitMq: soft('Processing error'),
    relay: { ...byRelay, fault: 'invalid-header' },
    steps: (scene) => send(`/queue/${scene.name()}`, [name, value]),
  })),
  {
    id: 'connect-passcode',
    what: 'CONNECT with a wrong passcode',
    rabbitMq: soft('Bad CONNECT'),
    relay: { ...byRelay, violation: 'authentication-failed' },
    isFirst: true,
    steps: () => ({ raw: 'CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:wrong\n\n\0' }),
  },
  {
    id: 'connect-version',
    what: 'CONNECT with `accept-version:2.0`',
    rabbitMq: soft('Version mismatch'),
    relay: { ...byRelay, violation: 'unsupported-version' },
    isFirst: true,
    steps: () => ({ raw: 'CONNECT\naccept-version:2.0\nhost:/\nlogin:guest\npasscode:guest\n\n\0' }),
  },
  {
    id: 'connect-heart-beat',
    what: 'CONNECT with `heart-beat:often`',
    rabbitMq: soft('Processing error'),
    relay: { ...byRelay, violation: 'bad-heart-beat' },
    isFirst: true,
    steps: () => ({
      raw: 'CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\nheart-beat:often\n\n\0',
    }),
  },
  {
    id: 'queue-deleted',
    what: 'nothing: an operator deletes the queue under the subscription',
    rabbitMq: soft('Server cancelled subscription'),
    relay: { by: 'RabbitMQ', fault: 'broker-unavailable' },
    steps: async (scene) => {
      const queue = scene.name()
      await scene.ask('SUBSCRIBE', ['id', 'gone', 'destination', `/queue/${queue}`])
      await scene.amqp.deleteQueue(queue)
      return undefined
    },
  },
]
