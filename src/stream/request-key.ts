import { createHash } from 'node:crypto'

/** A request that its sender may repeat when the answer was lost. */
export interface RepeatableRequest {
  /** Who asks, as authenticated: nobody learns another's answer by guessing `clientId`. */
  readonly user: string
  /** For what: a destination without aliases, or a method and path. */
  readonly scope: string
  /** Chosen by the sender, one for each thing it wants. */
  readonly clientId: string
}

/** 64 hexadecimal digits: all that is remembered of who asked. */
export function requestKey({ user, scope, clientId }: RepeatableRequest): string {
  // JSON keeps the parts apart, whatever they contain.
  return createHash('sha256')
    .update(JSON.stringify([user, scope, clientId]))
    .digest('hex')
}

/** The request, if its sender made it repeatable. */
export function repeatable(request: {
  readonly user: string
  readonly scope: string
  readonly clientId: string | undefined
}): RepeatableRequest | undefined {
  const { user, scope, clientId } = request
  return clientId === undefined ? undefined : { user, scope, clientId }
}
