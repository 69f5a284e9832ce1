/** WebSocket close codes this project uses, and whether a client should come back by itself. */
export const CLOSE = {
  normal: 1000,
  shuttingDown: 1001,
  protocolError: 1002,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  tooSlow: 4500,
} as const

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE]
