import { startPrivateNode } from '../../rabbitmq/private-node.ts'
import type { Contestant } from './contestant.ts'
import { rabbitmqVersion } from './rabbitmq-version.ts'

/** Clients straight on RabbitMQ's Web STOMP plugin, in the configuration the relay's RabbitMQ has. */
export const webStomp: Contestant = {
  name: 'web-stomp',
  notes: ['RabbitMQ with rabbitmq/rabbitmq.conf and its Web STOMP plugin at its defaults'],
  start: async () => {
    const node = await startPrivateNode({ webStomp: true })
    const endpoint = { host: '127.0.0.1', port: node.webStompPort, path: '/ws', protocol: 'v12.stomp' }
    return {
      pids: { broker: node.pid! },
      access: { dialect: 'stomp', subscribeEndpoint: endpoint, publishEndpoint: endpoint },
      rabbitmqVersion: await rabbitmqVersion(node),
      connectHeaders: async (count) =>
        Promise.resolve(Array.from({ length: count }, () => ['login', 'guest', 'passcode', 'guest'])),
      prepare: async () => Promise.resolve(),
      writeCounts: async () => Promise.resolve(undefined),
      stop: async () => node.stop(),
    }
  },
}
