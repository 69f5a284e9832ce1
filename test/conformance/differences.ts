import type { Difference } from './verdict.ts'

/** The relay with its in-process broker. */
export const IN_PROCESS: readonly Difference[] = []

/** The relay over RabbitMQ. */
export const RELAY: readonly Difference[] = []

/** RabbitMQ 3.10 with its Web STOMP plugin, which judges the suite as much as the suite judges it. */
export const WEB_STOMP: readonly Difference[] = [
  {
    reason:
      'RabbitMQ keeps the connection open after most ERRORs (rabbitmq-server issues 2410 and 2562). The relay closes it, as the specification says.',
    shows: 'but the connection stays open',
    cases: [
      'connect-unsupported',
      'connect-wrong-passcode',
      'connect-unknown-host',
      'connect-first',
      'heart-beat-malformed',
      'subscribe-no-destination',
      'subscribe-unknown',
      'unsubscribe-unknown',
      'ack-mode-unknown',
      'ack-missing-id',
      'ack-unknown',
      'ack-late',
      'tx-no-id',
      'tx-unknown-commit',
      'tx-unknown-abort',
      'tx-unknown-send',
      'wrong-command',
      'wrong-case-of-command',
      'wrong-server-command',
      'wrong-case-of-header',
      'wrong-no-destination',
      'wrong-destination',
      'wrong-slash',
      'temp-queue-subscribe',
      'durable-no-id',
    ],
  },
  {
    reason:
      'Web STOMP loses the ERROR of what ends the AMQP channel and closes with 1000 "STOMP died" (rabbitmq-server issue 6737; mended in 3.10.14).',
    shows: 'closed without ERROR',
    cases: [
      'subscribe-id-in-use',
      'ack-twice',
      'amq-queue-missing',
      'exchange-missing',
      'exchange-missing-send',
      'tx-commit-fails',
    ],
  },
  {
    reason: 'What RabbitMQ cannot parse ends the connection without a word, and so does a second CONNECT.',
    shows: 'closed without ERROR',
    cases: [
      'connect-twice',
      'message-undefined-escape',
      'wrong-header',
      'wrong-length-short',
      'wrong-length-text',
    ],
  },
  {
    reason: 'Who names no user is the configured default user, `guest`.',
    shows: 'not refused',
    cases: ['connect-no-credentials'],
  },
  {
    reason: 'RabbitMQ reads escapes in CONNECT too, and ends the connection for one that it does not know.',
    shows: 'closed with 1007 instead of CONNECTED',
    cases: ['connect-unescaped'],
  },
  {
    reason: 'RabbitMQ reads and writes the escapes of 1.2 in 1.0, which has none.',
    shows: 'not "c:',
    cases: ['message-no-escapes'],
  },
  {
    reason: 'The same: a 1.0 subscriber gets an escaped colon.',
    shows: 'time in 1.0',
    cases: ['message-across-versions'],
  },
  {
    reason:
      'Web STOMP writes every frame as a text message (`web_stomp.ws_frame`), and clients end a connection on which a text message is no UTF-8. The relay writes such bodies as binary messages.',
    shows: 'closed with 1006',
    cases: ['message-binary'],
  },
  {
    reason: 'RabbitMQ passes on every header that it does not use itself, credentials among them.',
    shows: 'leaked headers',
    cases: ['message-no-leaks'],
  },
  {
    reason:
      "RabbitMQ passes on a sender's `subscription`, `redelivered` and `ack` behind its own: first-wins readers are safe, others are not.",
    shows: 'a forged header arrives',
    cases: ['message-not-forged'],
  },
  {
    reason:
      'RabbitMQ takes a subscription without id in every version; its messages then name no subscription.',
    shows: 'not refused',
    cases: ['subscribe-no-id'],
  },
  {
    reason:
      'One counter for the whole connection: a cumulative ACK acknowledges messages of other subscriptions too.',
    shows: 'left is []',
    cases: ['ack-own-subscription'],
  },
  {
    reason: 'RabbitMQ understands NACK in 1.0 as well.',
    shows: 'not refused',
    cases: ['nack-1.0'],
  },
  {
    reason: '`prefetch-count` sticks to the connection: later subscriptions inherit it (until 4.4).',
    shows: 'second message at is "later"',
    cases: ['prefetch-of-one'],
  },
  {
    reason: 'BEGIN of an open transaction empties it without a word.',
    shows: 'not refused',
    cases: ['tx-begun'],
  },
  {
    reason:
      'Web STOMP closes the WebSocket at DISCONNECT without the RECEIPT, and without those of SENDs that wait for their confirm.',
    shows: 'closed with 1000 instead of RECEIPT',
    cases: ['receipt-disconnect', 'disconnect-earlier'],
  },
  {
    reason: 'ERROR of RabbitMQ never names the frame, so a client cannot tell which one failed.',
    shows: 'receipt-id is undefined',
    cases: ['receipt-in-error'],
  },
  {
    reason:
      'RabbitMQ ends a SUBSCRIBE at its first NUL and does not mind a body; one with NULs would begin a new frame.',
    shows: 'not refused',
    cases: ['wrong-body'],
  },
  {
    reason: 'RabbitMQ makes the subscription id a part of ack ids as it is, and cannot read them any more.',
    shows: 'ERROR "Invalid header" instead of RECEIPT',
    cases: ['ack-id-odd'],
  },
  {
    reason: 'RabbitMQ writes all letters beyond ASCII in a destination as %XX.',
    shows: 'destination is',
    cases: ['destination-utf8'],
  },
  {
    reason:
      'RabbitMQ declares `/queue/…` once a connection (web-stomp issue 94), and fails where it has gone since.',
    shows: 'closed with 1000 instead of RECEIPT',
    cases: ['queue-auto-delete-again'],
  },
  {
    reason: 'The same: what is sent there is lost, with a RECEIPT.',
    shows: 'first is "end"',
    cases: ['queue-auto-delete-send'],
  },
]
