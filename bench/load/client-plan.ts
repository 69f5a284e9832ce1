import type { WsEndpoint } from './ws-client.ts'

/** How clients reach one contestant. */
export interface ClientAccess {
  /** `bare`: the body is the whole WebSocket message, and to connect is to subscribe. */
  readonly dialect: 'stomp' | 'bare'
  readonly subscribeEndpoint: WsEndpoint
  readonly publishEndpoint: WsEndpoint
}

/** Where messages go to and come from, and what is around a benchmark body on the way there. ASCII. */
export interface TopicPlan {
  /** Destination of SEND. */
  readonly publishTo: string
  /** Destination of SUBSCRIBE. */
  readonly subscribeTo: string
  /** Of SEND, besides its destination and receipt: name, value, name, value, … */
  readonly headers: readonly string[]
  readonly before: string
  readonly after: string
}

/** How clients connect and what they subscribe to. Plain data: it goes to other processes. */
export interface ClientPlan extends ClientAccess {
  /** Every subscriber takes all of them, unless `isSpread`; publishers are spread over them. */
  readonly topics: readonly TopicPlan[]
  /** Subscribers are spread over the topics too: one each. */
  readonly isSpread?: boolean
  /** Bytes before the benchmark body in what subscribers get. */
  readonly bodyOffset: number
  /** Publishers ask for a RECEIPT of each message, and a message is unfinished without it. */
  readonly hasReceipts: boolean
}

/** Headers of one client's CONNECT: name, value, name, value, …; empty in the `bare` dialect. */
export type ConnectHeaders = readonly string[]

/** What one subscriber of the plan takes. */
export function topicsOf(plan: ClientPlan, subscriber: number): readonly TopicPlan[] {
  if (plan.isSpread !== true) return plan.topics
  return [plan.topics[subscriber % plan.topics.length]!]
}

/** Whether what a publisher sends is for this subscriber. */
export function hears(plan: ClientPlan, subscriber: number, publisher: number): boolean {
  if (plan.isSpread !== true) return true
  return (publisher - subscriber) % plan.topics.length === 0
}

/** One topic, bare bodies, no receipts. */
export function oneTopicPlan(access: ClientAccess, destination: string): ClientPlan {
  const headers = ['content-type', 'text/plain']
  const topic = { publishTo: destination, subscribeTo: destination, headers }
  return { ...access, topics: [{ ...topic, before: '', after: '' }], bodyOffset: 0, hasReceipts: false }
}

/** A STOMP frame as text. Values must need no escaping (STOMP 1.2, "Value Encoding"). */
export function stompText(command: string, headers: readonly string[], body = ''): string {
  let text = `${command}\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}:${headers[i + 1]}\n`
  return `${text}\n${body}\0`
}

/** Heart-beats are off, so that only the scenario's own traffic is measured. */
export function connectText(headers: ConnectHeaders): string {
  return stompText('CONNECT', ['accept-version', '1.2', 'host', '/', 'heart-beat', '0,0', ...headers])
}
