import { acknowledgements } from './cases/acknowledgements.ts'
import { connecting } from './cases/connecting.ts'
import { heartBeats } from './cases/heart-beats.ts'
import { messages } from './cases/messages.ts'
import { queueKinds } from './cases/queue-kinds.ts'
import { queues } from './cases/queues.ts'
import { rabbitmq } from './cases/rabbitmq.ts'
import { receipts } from './cases/receipts.ts'
import { refusals } from './cases/refusals.ts'
import { subscriptions } from './cases/subscriptions.ts'
import { transactions } from './cases/transactions.ts'
import type { ConformanceCase } from './conformance-case.ts'

/** The whole suite, by subject. */
export const CASES: Readonly<Record<string, readonly ConformanceCase[]>> = {
  Connecting: connecting,
  'Heart-beats': heartBeats,
  Messages: messages,
  Subscriptions: subscriptions,
  Acknowledgements: acknowledgements,
  Transactions: transactions,
  'Receipts and DISCONNECT': receipts,
  'Wrong frames': refusals,
  Queues: queues,
  "RabbitMQ's extensions": [...rabbitmq, ...queueKinds],
}
