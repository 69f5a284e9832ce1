import type { Refusal, RefusedFrame, Scene } from '../refusal.ts'

/** What a client of the relay does to get a session at the broker. */
function send(scene: Scene): RefusedFrame {
  return { command: 'SEND', headers: ['destination', `/queue/${scene.name()}`], body: 'x' }
}

async function consume(scene: Scene): Promise<void> {
  const headers = ['id', 'q', 'destination', `/queue/${scene.name()}`, 'ack', 'client']
  await scene.ask('SUBSCRIBE', headers)
}

function connectFrame({ vhost, account }: Scene): RefusedFrame {
  return { raw: `CONNECT\naccept-version:1.2\nhost:${vhost}\nlogin:${account}\npasscode:${account}\n\n\0` }
}

const NO_SESSION = {
  rabbitMq: { error: 'Bad CONNECT', closes: false },
  relay: { by: 'RabbitMQ', fault: 'broker-unavailable' },
} as const

const DIED = {
  rabbitMq: { error: 'AMQP channel died', closes: true },
  relay: {
    by: 'RabbitMQ',
    violation: 'broker-session-lost',
    detail: /the broker ended the session: AMQP channel died$/,
  },
} as const

/** What an operator of RabbitMQ does, or has set. */
export const operatorRefusals: readonly Refusal[] = [
  {
    id: 'permission',
    what: "SEND to an exchange that the relay's account may not write to",
    rabbitMq: { error: 'access_refused', closes: true },
    relay: { by: 'RabbitMQ', violation: 'broker-session-lost', detail: /access_refused$/ },
    steps: async (scene) => {
      await scene.amqp.assertExchange('secret', 'topic')
      await scene.ctl('set_permissions', '-p', scene.vhost, scene.account, '.*', '^(?!secret).*$', '.*')
      return { command: 'SEND', headers: ['destination', '/exchange/secret/key'], body: 'x' }
    },
  },
  {
    id: 'passcode-changed',
    what: "a first SEND to a queue, after the password of the relay's account was changed",
    ...NO_SESSION,
    direct: async (scene) => {
      await scene.ctl('change_password', scene.account, 'changed')
      return connectFrame(scene)
    },
    steps: async (scene) => {
      await scene.ctl('change_password', scene.account, 'changed')
      return send(scene)
    },
  },
  {
    id: 'connection-limit',
    what: 'a first SEND to a queue, where the virtual host takes no more connections',
    ...NO_SESSION,
    direct: async (scene) => {
      await scene.ctl('set_vhost_limits', '-p', scene.vhost, '{"max-connections":0}')
      return connectFrame(scene)
    },
    steps: async (scene) => {
      await scene.ctl('set_vhost_limits', '-p', scene.vhost, '{"max-connections":0}')
      return send(scene)
    },
  },
  {
    id: 'connections-closed',
    what: 'an operator closes all connections of the virtual host',
    ...DIED,
    steps: async (scene) => {
      await consume(scene)
      await scene.ctl('close_all_connections', '-p', scene.vhost, 'maintenance')
      return undefined
    },
  },
  {
    id: 'user-deleted',
    what: "an operator deletes the relay's account",
    ...DIED,
    steps: async (scene) => {
      await consume(scene)
      await scene.ctl('delete_user', scene.account)
      return undefined
    },
  },
  {
    id: 'vhost-deleted',
    what: 'an operator deletes the virtual host',
    ...DIED,
    steps: async (scene) => {
      await scene.ask('SEND', ['destination', `/queue/${scene.name()}`], 'x')
      await scene.ctl('delete_vhost', scene.vhost)
      return undefined
    },
  },
  {
    id: 'consumer-timeout',
    what: "a message is not acknowledged within RabbitMQ's `consumer_timeout` (30 minutes by default)",
    rabbitMq: { error: 'precondition_failed', closes: true },
    relay: { by: 'RabbitMQ', violation: 'broker-session-lost', detail: /precondition_failed$/ },
    steps: async (scene) => {
      const destination = `/queue/${scene.name()}`
      await scene.ask('SUBSCRIBE', ['id', 'q', 'destination', destination, 'ack', 'client'])
      await scene.ask('SEND', ['destination', destination], 'x')
      await scene.peer.message('q')
      return undefined
    },
  },
]
