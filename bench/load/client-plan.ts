import type { WsEndpoint } from './ws-client.ts'

/** How clients of one contestant connect and what they subscribe to. Plain data: it goes to other processes. */
export interface ClientPlan {
  /** `bare`: the body is the whole WebSocket message, and to connect is to subscribe. */
  readonly dialect: 'stomp' | 'bare'
  readonly subscribeEndpoint: WsEndpoint
  readonly publishEndpoint: WsEndpoint
  readonly destination: string
}

/** Headers of one client's CONNECT: name, value, name, value, …; empty in the `bare` dialect. */
export type ConnectHeaders = readonly string[]

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
