import { compareVersions, type Server, type VersionNumbers } from './server-version.ts'

/** Something that clients or the relay cannot count on with this server. */
export interface ServerLimit {
  /** Of the log line; stable, so that an operator can look for it. */
  readonly event: string
  /** A surprise to be looked into, or else a known property of the version. */
  readonly isUnknown: boolean
  readonly says: string
}

interface Row {
  readonly event: string
  /** From this version on. */
  readonly since?: VersionNumbers
  /** Up to, and without, this version. */
  readonly until?: VersionNumbers
  readonly isUnknown?: boolean
  readonly says: string
}

const RABBITMQ = 'RabbitMQ'

/** What versions are known to change, as far as it touches the relay or its clients. Order: oldest first. */
const BY_VERSION: readonly Row[] = [
  {
    event: 'broker-version-old',
    until: [3, 10, 0],
    isUnknown: true,
    says: 'the relay is made for RabbitMQ 3.10 or later: what this one does otherwise is not known',
  },
  {
    event: 'broker-lacks-x-max-age',
    until: [3, 10, 12],
    says: 'RabbitMQ ignores the header x-max-age of SUBSCRIBE: streams are bounded by a policy only',
  },
  {
    event: 'broker-lacks-x-stream-max-segment-size-bytes',
    until: [3, 11, 11],
    says: 'RabbitMQ ignores the header x-stream-max-segment-size-bytes of SUBSCRIBE',
  },
  {
    event: 'broker-lacks-x-stream-filter-size-bytes',
    until: [3, 13, 0],
    says: 'RabbitMQ ignores the header x-stream-filter-size-bytes of SUBSCRIBE',
  },
  {
    event: 'broker-lacks-x-priority',
    until: [4, 0, 1],
    says: 'RabbitMQ ignores the header x-priority of SUBSCRIBE: all consumers of a queue are equal',
  },
  {
    event: 'broker-limit-exchange-queues',
    since: [3, 11, 8],
    says:
      'queues of /exchange subscriptions are exclusive: sessions that share one by x-queue-name are refused, ' +
      'and durable ones need exclusive:false and auto-delete:false',
  },
  {
    event: 'broker-limit-frame-bytes',
    since: [3, 12, 2],
    says:
      'RabbitMQ ends the own session of a client at a frame beyond stomp.max_frame_size (4 MiB where it is not ' +
      'set) and does not say why: keep LIMIT_FRAME_BYTES below it',
  },
  {
    event: 'broker-limit-mirrored-queues',
    since: [4, 0, 0],
    says: 'classic queues, "user" among them, are on one node of a cluster: policies cannot mirror them any more',
  },
  {
    event: 'broker-limit-message-bytes',
    since: [4, 0, 0],
    says: 'RabbitMQ refuses messages of more than 16 MiB where max_message_size is not set',
  },
  {
    event: 'broker-limit-redeliveries',
    since: [4, 0, 0],
    says: 'RabbitMQ gives up a message of a quorum queue after 20 redeliveries where no policy says otherwise',
  },
  {
    event: 'broker-limit-transient-queues',
    since: [4, 0, 0],
    until: [4, 3, 0],
    says:
      'RabbitMQ warns in its log of each /topic subscription that is not durable in the own session of a client: ' +
      'its queue is transient and not exclusive, which RabbitMQ 4.3 no longer permits',
  },
  {
    event: 'broker-limit-headers',
    since: [4, 2, 6],
    says: 'RabbitMQ takes no frame of more than 100 headers: keep LIMIT_HEADERS below it',
  },
  {
    event: 'broker-limit-topic-queues',
    since: [4, 3, 0],
    says:
      'queues of /topic subscriptions that are not durable are exclusive: own sessions of clients that share one ' +
      'by x-queue-name are refused',
  },
  {
    event: 'broker-version-new',
    since: [4, 4, 0],
    isUnknown: true,
    says: 'this version of RabbitMQ is newer than the relay, and its STOMP plugin is another one',
  },
]

/** What the relay uses of AMQP beyond its letter, and what goes wrong without it. */
const BY_CAPABILITY: Readonly<Record<string, string>> = {
  publisher_confirms: 'nothing can be published: the broker does not confirm',
  'basic.nack': 'messages that the broker refuses, and orders that are given back, end their channel',
  exchange_exchange_bindings: 'nothing can be received: topics cannot be bound to an exchange of the relay',
  consumer_cancel_notify: 'that the queue of orders was deleted is not noticed before the next connect',
  'connection.blocked': 'that the broker takes no messages for an alarm is not noticed: they wait unseen',
}

/** All that is known to be otherwise on this server, or not known of it. */
export function limitsOf(server: Server): ServerLimit[] {
  const { product, version, numbers, capabilities } = server
  const lacking = Object.entries(BY_CAPABILITY)
    .filter(([name]) => !capabilities.has(name))
    .map(([name, says]) => unknown(`broker-lacks-${name.replaceAll(/[._]/g, '-')}`, says))
  if (product !== RABBITMQ) {
    const says = 'the relay is made for RabbitMQ: what another broker does otherwise is not known'
    return [unknown('broker-product-unknown', says), ...lacking]
  }
  if (numbers === undefined) {
    const says = `what RabbitMQ "${version}" does otherwise than 3.10 is not known: its version cannot be read`
    return [unknown('broker-version-unknown', says), ...lacking]
  }
  return [...BY_VERSION.filter((row) => applies(row, numbers)).map(limitOf), ...lacking]
}

function applies({ since, until }: Row, version: VersionNumbers): boolean {
  const isReached = since === undefined || compareVersions(version, since) >= 0
  return isReached && (until === undefined || compareVersions(version, until) < 0)
}

function limitOf({ event, isUnknown = false, says }: Row): ServerLimit {
  return { event, isUnknown, says }
}

function unknown(event: string, says: string): ServerLimit {
  return { event, isUnknown: true, says }
}
