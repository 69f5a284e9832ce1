/** What STOMP leaves to the server, and RabbitMQ's extensions (its STOMP guide). A case names what it needs. */
export const EXTENSIONS = {
  topic: '`/topic/NAME`, to every subscriber',
  wildcards: '`*` and `#` in a topic to subscribe to',
  queue: '`/queue/NAME`, to one of its consumers',
  'nack-requeue': 'NACK gives the message back, or with `requeue:false` away',
  prefetch: '`prefetch-count`',
  'temp-queue': '`reply-to:/temp-queue/NAME`',
  'amq-queue': '`/amq/queue/NAME`, a queue that exists',
  exchange: '`/exchange/NAME/KEY`',
  durable: '`durable:true` on a topic subscription',
  'amqp-properties': 'AMQP properties as headers of a message',
  expiration: '`expiration`',
  arguments: '`x-` headers as arguments of a queue: priorities, lengths, dead letters',
  'virtual-hosts': '`host` chooses a virtual host',
} as const

export type Extension = keyof typeof EXTENSIONS

/** A server to judge. */
export interface Target {
  /** `ws://…` or `wss://…` */
  readonly url: string
  readonly login: string
  readonly passcode: string
  /** `host` of CONNECT; on RabbitMQ a virtual host. */
  readonly host: string
  readonly offers: ReadonlySet<Extension>
}

export const ALL_EXTENSIONS = Object.keys(EXTENSIONS) as readonly Extension[]
