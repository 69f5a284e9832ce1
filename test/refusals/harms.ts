/** Something that RabbitMQ's STOMP plugin does to its clients, and that the relay's clients do not meet. */
export interface Harm {
  readonly what: string
  readonly rabbitMq: string
  readonly relay: string
  readonly tests: readonly TestPlace[]
}

/** A case of test/conformance or of test/refusals by its id, or a test by its file and a part of its text. */
export type TestPlace =
  | { readonly conformance: string }
  | { readonly refusal: string }
  | { readonly file: string; readonly holds: string }

const SESSION = 'test/broker/rabbitmq/client-session.test.ts'
const EXTENSIONS = 'test/relay/rabbitmq-extensions.test.ts'

/** What RabbitMQ 3.10.8 was seen to do; most of it later versions do too. */
export const HARMS: readonly Harm[] = [
  {
    what: 'ERROR without close',
    rabbitMq:
      'Most ERRORs leave the connection open (issues 2410, 2562), some close it, some refusals close it without ERROR',
    relay:
      'What is the protocol’s: ERROR, then close. What is the application’s: `/user/queue/errors`, or ERROR and close for who does not listen there',
    tests: [{ conformance: 'wrong-destination' }, { refusal: 'frame-escape' }, { refusal: 'confirm-nack' }],
  },
  {
    what: 'Errors without a name',
    rabbitMq: 'ERROR never carries a `receipt-id`: a client cannot tell which frame failed',
    relay:
      '`receipt-id` in every ERROR about a frame that asked for a receipt and could be read, `receipt` in every fault; `subscription` where one was cancelled',
    tests: [
      { conformance: 'receipt-in-error' },
      { refusal: 'not-found-exchange-send' },
      { refusal: 'queue-deleted' },
    ],
  },
  {
    what: 'RECEIPT after ERROR',
    rabbitMq: 'After a fatal ERROR of SUBSCRIBE or ACK the RECEIPT of the same frame follows',
    relay: 'None',
    tests: [
      { conformance: 'amq-queue-missing' },
      { refusal: 'not-found-queue' },
      { refusal: 'precondition-ack-twice' },
    ],
  },
  {
    what: 'RECEIPT of COMMIT',
    rabbitMq: 'Comes before the SENDs are done: one of them may still fail, and the rest with it',
    relay: 'COMMIT, and each SEND in it, gets its RECEIPT when all of them are confirmed',
    tests: [
      { conformance: 'tx-commit-fails' },
      { refusal: 'not-found-in-transaction' },
      { refusal: 'confirm-nack-transaction' },
    ],
  },
  {
    what: 'BEGIN twice',
    rabbitMq: 'Empties the open transaction without a word',
    relay: 'Refused',
    tests: [{ conformance: 'tx-begun' }],
  },
  {
    what: 'DISCONNECT',
    rabbitMq: 'Does not wait for confirms: RECEIPTs of SENDs under way never come',
    relay: 'Waits for them, within a bound',
    tests: [{ conformance: 'disconnect-earlier' }, { conformance: 'receipt-disconnect' }],
  },
  {
    what: 'A queue that refuses',
    rabbitMq:
      'A nack (`x-overflow:reject-publish`) crashes the connection without ERROR; later versions never answer at all',
    relay: 'ERROR that says so and names the SEND, then close; that client alone',
    tests: [{ refusal: 'confirm-nack' }],
  },
  {
    what: 'Cumulative ACK',
    rabbitMq: 'Counts over the connection: `ack:client` of one subscription acknowledges messages of others',
    relay: 'Counts within its subscription',
    tests: [
      { conformance: 'ack-own-subscription' },
      { file: SESSION, holds: 'an acknowledgement in client mode covers its own subscription only' },
    ],
  },
  {
    what: 'Ids within ids',
    rabbitMq:
      'The subscription id becomes a part of ack ids as it is: one with `@@` cannot be acknowledged, one with a line feed writes headers of its own',
    relay: 'Ids of our own towards RabbitMQ, and any id towards the client',
    tests: [{ conformance: 'ack-id-odd' }, { conformance: 'subscribe-id-escaped' }],
  },
  {
    what: 'Sticky `prefetch-count`',
    rabbitMq: 'Holds for every later subscription of the connection',
    relay: 'Holds for its own subscription',
    tests: [
      { conformance: 'prefetch-of-one' },
      { file: SESSION, holds: 'prefetch-count holds for its own subscription and not for the next' },
    ],
  },
  {
    what: 'Durable names',
    rabbitMq:
      'A durable subscription is named after id and topic, not after the user: two users with one id (`sub-0`) share its queue and split its messages',
    relay: 'Named after the user, too',
    tests: [
      { file: EXTENSIONS, holds: 'durable subscriptions of two users with one id' },
      { file: SESSION, holds: 'equal ids of two users are two durable subscriptions' },
    ],
  },
  {
    what: 'Leaked headers',
    rabbitMq: '`receipt`, `id`, `transaction`, even `login` and `passcode` of a SEND reach its subscribers',
    relay: 'Removed',
    tests: [{ conformance: 'message-no-leaks' }],
  },
  {
    what: 'Forged headers',
    rabbitMq:
      'A sender’s `subscription`, `message-id`, `redelivered`, `ack` reach subscribers behind the server’s own',
    relay: 'Removed, as is `user-id`',
    tests: [{ conformance: 'message-not-forged' }, { refusal: 'precondition-user-id' }],
  },
  {
    what: 'Headers that end the session',
    rabbitMq: '`CC`, `BCC`, a bad `expiration`, a `user-id` close the connection, whoever uses it',
    relay: 'One fault; the session lives',
    tests: [
      { refusal: 'precondition-cc' },
      { refusal: 'precondition-expiration' },
      { refusal: 'precondition-expiration-long' },
    ],
  },
  {
    what: 'Destinations that do not come back',
    rabbitMq: 'Takes UTF-8 in a name as it is and writes it percent-encoded in MESSAGE',
    relay: 'As the client wrote it',
    tests: [
      { conformance: 'destination-utf8' },
      { file: SESSION, holds: 'names with slashes and letters beyond ASCII come back' },
    ],
  },
  {
    what: 'A queue that is gone: SUBSCRIBE',
    rabbitMq:
      'A queue is declared once a connection: after an `auto-delete` queue went with its subscription, the next SUBSCRIBE ends the connection (web-stomp issue 94)',
    relay:
      'The queue is declared anew; but for an exclusive one (`durable:false`), which only a new session can have',
    tests: [{ conformance: 'queue-auto-delete-again' }, { refusal: 'not-found-exclusive-again' }],
  },
  {
    what: 'A queue that is gone: SEND',
    rabbitMq:
      'SENDs to a queue that was deleted, or expired, after the connection’s first are lost for as long as it lives, with RECEIPTs',
    relay:
      'Every 5 seconds, and when a subscription to it has ended, a SEND looks after the queue and declares it anew',
    tests: [
      { conformance: 'queue-auto-delete-send' },
      { file: SESSION, holds: 'a queue that an operator deleted is declared again for the next SEND' },
    ],
  },
  {
    what: 'Escapes where there are none',
    rabbitMq: 'In CONNECT and in 1.0 as well: a backslash in a passcode ends the connection',
    relay: 'By the version; what goes on to RabbitMQ is escaped again',
    tests: [{ conformance: 'connect-unescaped' }, { conformance: 'message-no-escapes' }],
  },
  {
    what: 'Subscriptions without id',
    rabbitMq: 'Taken in every version; their messages name no subscription',
    relay: 'In 1.0 only, and then named by the destination',
    tests: [{ conformance: 'subscribe-no-id' }, { conformance: 'subscribe-by-destination' }],
  },
  {
    what: 'Binary bodies',
    rabbitMq: 'Web STOMP writes them into text messages, which browsers refuse',
    relay: 'Binary messages',
    tests: [{ conformance: 'message-binary' }],
  },
  {
    what: 'Memory alarm',
    rabbitMq:
      'RabbitMQ stops reading a connection that publishes, its ACKs and heart-beats included; Web STOMP is not held back at all',
    relay: 'SENDs wait within a bound, everything else goes on',
    tests: [
      {
        file: 'test/broker/rabbitmq/alarm.test.ts',
        holds: 'an own session consumes and acknowledges on; its SENDs wait for the end',
      },
    ],
  },
]

/** Refusals of RabbitMQ that no client of the relay can bring about, and what stands in their place. */
export const ELSEWHERE: readonly Harm[] = [
  {
    what: 'a heart-beat is missed on the link between relay and RabbitMQ',
    rabbitMq: 'close without ERROR',
    relay:
      'the relay beats by itself. A link that falls silent ends: ERROR `broker session lost`, close 1011. A client that misses its own: ERROR `heart-beat missed`, close 1002',
    tests: [
      {
        file: 'test/broker/rabbitmq/links.test.ts',
        holds: 'a session whose link falls silent ends, and its frame is not left waiting',
      },
      { conformance: 'heart-beat-missed' },
    ],
  },
  {
    what: 'no CONNECT within `login_timeout`',
    rabbitMq: 'close without ERROR',
    relay: 'the relay’s links begin with CONNECT. A client’s own: ERROR `no CONNECT in time`, close 1002',
    tests: [
      {
        file: 'test/connection/before-connected.test.ts',
        holds: 'closes a socket that says nothing in time',
      },
    ],
  },
  {
    what: 'RabbitMQ is stopped or killed',
    rabbitMq: 'close without ERROR',
    relay:
      'who has a session at the broker: ERROR `broker session lost`, close 1011; who is on topics stays connected',
    tests: [{ file: 'test/relay/restart.test.ts', holds: 'in the middle of a conversation and comes back' }],
  },
  {
    what: 'RabbitMQ is at its limit of files',
    rabbitMq: 'takes the connection and never answers',
    relay: 'the next host is tried; then fault `broker-unavailable`',
    tests: [
      {
        file: 'test/broker/rabbitmq/links.test.ts',
        holds: 'calls are bounded while the broker was never there',
      },
    ],
  },
  {
    what: 'a frame over `stomp.max_frame_size` (from 3.12.2)',
    rabbitMq: 'close without ERROR',
    relay: 'ERROR `frame too large` at `LIMIT_FRAME_BYTES`, which is less',
    tests: [{ file: 'protocol/vectors/limits.json', holds: 'frame-too-large' }],
  },
  {
    what: 'a virtual host that there is not, in CONNECT',
    rabbitMq: 'ERROR `Bad CONNECT`',
    relay: 'the virtual host is the one of `RABBITMQ_STOMP_URL`; `host` of a client is not asked',
    tests: [{ conformance: 'connect-no-host' }],
  },
]
