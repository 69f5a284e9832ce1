/** The commands a client may send (STOMP 1.2, "Client Frames"; `STOMP` is CONNECT's other name since 1.1). */
export const CLIENT_COMMANDS = [
  'CONNECT',
  'STOMP',
  'SEND',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'ACK',
  'NACK',
  'BEGIN',
  'COMMIT',
  'ABORT',
  'DISCONNECT',
] as const

/** The commands a server may send (STOMP 1.2, "Server Frames"). */
export const SERVER_COMMANDS = ['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR'] as const

export type ClientCommand = (typeof CLIENT_COMMANDS)[number]
export type ServerCommand = (typeof SERVER_COMMANDS)[number]
export type Command = ClientCommand | ServerCommand

/**
 * Headers as they stood on the wire, unescaped: name, value, name, value, …. Order and repeated
 * names are kept; where a name is repeated the first one counts (STOMP 1.2, "Repeated Header Entries").
 */
export type HeaderList = readonly string[]

/** One frame. `body` may be a view on the bytes it was decoded from: read it, never write to it. */
export interface Frame<C extends Command = Command> {
  readonly command: C
  readonly headers: HeaderList
  readonly body: Uint8Array
}

/** What a server gets. */
export type ClientFrame = Frame<ClientCommand>

export const EMPTY_BODY = new Uint8Array(0)

/** The first value of a header, or undefined where it is missing. Names are case-sensitive. */
export function header(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) return headers[i + 1]
  }
  return undefined
}
