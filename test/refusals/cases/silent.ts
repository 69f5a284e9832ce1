import type { Refusal, Scene } from '../refusal.ts'

const SILENT = { closes: true } as const

/** A queue of one message, full, that refuses more. */
async function fullQueue(scene: Scene): Promise<string> {
  const name = scene.name()
  const limits = { 'x-max-length': 1, 'x-overflow': 'reject-publish' }
  await scene.amqp.assertQueue(name, { durable: true, arguments: limits })
  await scene.ask('SEND', ['destination', `/amq/queue/${name}`], 'fills it')
  return `/amq/queue/${name}`
}

/** RabbitMQ closes the connection without a word. */
export const silentRefusals: readonly Refusal[] = [
  {
    id: 'frame-no-colon',
    what: 'a header line without a colon',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'malformed-header' },
    steps: () => ({ raw: 'SEND\ndestination:/topic/x\nbroken\n\nx\0' }),
  },
  {
    id: 'frame-escape',
    what: 'an escape that there is not',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'bad-escape' },
    steps: () => ({ raw: 'SEND\ndestination:/topic/x\na:\\x\n\nx\0' }),
  },
  {
    id: 'frame-carriage-return',
    what: 'a carriage return that no line feed follows',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'malformed-header' },
    steps: () => ({ raw: 'SEND\ndestination:/topic/x\na:b\rc\n\nx\0' }),
  },
  {
    id: 'connect-twice',
    what: 'a second CONNECT',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'already-connected' },
    steps: () => ({ raw: 'CONNECT\naccept-version:1.2\nhost:/\n\n\0' }),
  },
  {
    id: 'length-short',
    what: 'a `content-length` that is less than the body',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'missing-nul' },
    steps: () => ({ raw: 'SEND\ndestination:/topic/x\ncontent-length:1\n\nlong\0' }),
  },
  {
    id: 'length-text',
    what: 'a `content-length` that is no number',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'bad-content-length' },
    steps: () => ({ raw: 'SEND\ndestination:/topic/x\ncontent-length:two\n\nxx\0' }),
  },
  {
    id: 'length-negative',
    what: 'a negative `content-length`',
    rabbitMq: SILENT,
    relay: { by: 'relay', violation: 'bad-content-length' },
    steps: () => ({ raw: 'SEND\ndestination:/topic/x\ncontent-length:-1\n\nxx\0' }),
  },
  {
    id: 'confirm-nack',
    what: 'SEND with a receipt to a full queue with `x-overflow:reject-publish`',
    rabbitMq: SILENT,
    relay: {
      by: 'RabbitMQ',
      violation: 'broker-session-lost',
      detail: /closed the connection instead of confirming/,
    },
    steps: async (scene) => {
      const destination = await fullQueue(scene)
      return { command: 'SEND', headers: ['destination', destination], body: 'one too many' }
    },
  },
  {
    id: 'confirm-nack-transaction',
    what: 'COMMIT of a SEND to such a queue, where that asked for a receipt (RabbitMQ gives that of COMMIT first)',
    rabbitMq: SILENT,
    relay: {
      by: 'RabbitMQ',
      violation: 'broker-session-lost',
      detail: /closed the connection instead of confirming/,
    },
    steps: async (scene) => {
      const destination = await fullQueue(scene)
      await scene.ask('BEGIN', ['transaction', 't'])
      scene.peer.send('SEND', ['destination', destination, 'transaction', 't', 'receipt', 's'], 'x')
      return { command: 'COMMIT', headers: ['transaction', 't'] }
    },
  },
]
