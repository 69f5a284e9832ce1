import { header } from '../../protocol/frame.ts'
import { StompClient } from '../support/stomp-client.ts'

export interface VisitOptions {
  /** `ws://…/ws` */
  readonly url: string
  /** Bearer tokens, of as many users. */
  readonly tokens: readonly string[]
  /** How many visits at once. */
  readonly lanes: number
}

/** Durable queues that visitors share, since RabbitMQ would keep one for each visit. */
export const QUEUES = 8

// A visitor closes its own socket; a test's teardown would only remember them all.
const NO_TEARDOWN = { teardown: () => undefined }

/** RabbitMQ keeps what somebody once subscribed to. */
export async function makeQueues({ url, tokens }: VisitOptions): Promise<void> {
  const client = await connect(url, tokens[0]!)
  for (let i = 0; i < QUEUES; i++) await client.subscribe(String(i), queue(i * WAYS.length))
  await client.ask('DISCONNECT')
  await client.closed
}

/** Comes and goes `count` times, in turn in each of the ways. @param first number of the first visit */
export async function visit(options: VisitOptions, first: number, count: number): Promise<void> {
  let next = first
  const lane = async (): Promise<void> => {
    while (next < first + count) await once(options, next++)
  }
  await Promise.all(Array.from({ length: options.lanes }, lane))
}

async function once({ url, tokens }: VisitOptions, index: number): Promise<void> {
  const client = await connect(url, tokens[index % tokens.length]!)
  await WAYS[index % WAYS.length]!(client, index)
  // Of the client's side: those who destroy their socket hear of it at once.
  await client.closed
}

async function connect(url: string, token: string): Promise<StompClient> {
  const client = await StompClient.open(NO_TEARDOWN, url)
  client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
  await client.next('CONNECTED')
  return client
}

function queue(index: number): string {
  return `/queue/churn-${Math.floor(index / WAYS.length) % QUEUES}`
}

const WAYS: readonly ((client: StompClient, index: number) => Promise<void>)[] = [
  async function topicsAndGoodbye(client, index) {
    await client.subscribe('t', `/topic/churn.${index}`)
    await client.subscribe('w', `/topic/churn.${index}.*`)
    await client.subscribe('u', '/user/queue/orders')
    await client.ask('DISCONNECT')
  },
  async function queueAndGone(client, index) {
    await client.subscribe('t', `/topic/churn.${index}`)
    await client.subscribe('q', queue(index))
    client.webSocket.terminate()
  },
  async function goneInTheMiddle(client, index) {
    const destinations = [`/topic/churn.${index}`, '/user/queue/orders', queue(index)]
    for (const [id, destination] of destinations.entries()) {
      client.send('SUBSCRIBE', ['id', String(id), 'destination', destination, 'receipt', String(id)])
    }
    // The first answer is here: what comes behind it is under way.
    await client.next('RECEIPT', ({ headers }) => header(headers, 'receipt-id') === '0')
    client.webSocket.terminate()
  },
  async function gambler(client, index) {
    await client.subscribe('e', `/exchange/amq.topic/churn.${index}`, ['ack', 'client-individual'])
    await client.subscribe('u', '/user/queue/notifications')
    await client.ask('SEND', ['destination', `/topic/churn.${index}`, 'reply-to', '/temp-queue/answers'], 'x')
    await client.next('MESSAGE')
    if (index % 8 === 3) await client.ask('DISCONNECT')
    else client.webSocket.terminate()
  },
]
