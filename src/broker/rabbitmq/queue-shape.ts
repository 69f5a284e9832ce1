import { type AmqpConnection, closeChannel, replyCode } from './amqp-connection.ts'

/** What a queue is that was there before, or that the virtual host made of a plain declaration. */
export interface QueueShape {
  /** `classic`, `quorum`, `stream`; `unknown` where the broker does not tell. */
  readonly type: string
  /** Whether a declaration as durable, without arguments, is answered with success. */
  readonly isAsDeclared: boolean
}

const PRECONDITION_FAILED = 406

/**
 * Asks for the type of a queue that exists by declaring it again: in its refusal RabbitMQ says what the
 * queue is. A virtual host's `default_queue_type` takes part, which no version number tells.
 *
 * @throws Error where the connection ends
 */
export async function askQueueShape(connection: AmqpConnection, queue: string): Promise<QueueShape> {
  const plain = await refusal(connection, queue, {})
  const classic = await refusal(connection, queue, { 'x-queue-type': 'classic' })
  const type = classic === undefined ? 'classic' : (typeIn(classic) ?? typeIn(plain ?? '') ?? 'unknown')
  return { type, isAsDeclared: plain === undefined }
}

/** What RabbitMQ says against a declaration; undefined where it has nothing against it. */
async function refusal(
  connection: AmqpConnection,
  queue: string,
  queueArguments: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  // A channel of its own: a refusal ends the channel it is said on.
  const channel = await connection.channel(() => undefined)
  try {
    await channel.assertQueue(queue, { durable: true, arguments: queueArguments })
    await closeChannel(channel)
    return undefined
  } catch (error) {
    if (replyCode(error) !== PRECONDITION_FAILED || !(error instanceof Error)) throw error
    return error.message
  }
}

/** `… inequivalent arg 'x-queue-type' for queue … but current is 'quorum'`, or `… is the value 'quorum' of type …`. */
function typeIn(text: string): string | undefined {
  if (!text.includes("'x-queue-type'")) return undefined
  const match = /current is (?:the value )?'([a-z_]{1,32})'|current is (none)/.exec(text)
  return match?.[1] ?? (match?.[2] === undefined ? undefined : 'classic')
}
