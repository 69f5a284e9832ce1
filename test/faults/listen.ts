import type { Role } from '../../src/auth/principal.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { FaultNode } from './fault-node.ts'
import { faultToken } from './fault-token.ts'
import type { Stage } from './fault.ts'
import type { Hearing } from './hearing.ts'
import { StompLink } from './stomp-link.ts'

export interface ListenOptions {
  readonly node: FaultNode
  readonly role: Role
  /** Whose session it is. Default `listener`. */
  readonly user?: string
  readonly destinations: readonly string[]
  readonly hearing: Hearing
  /** Which message a body is. */
  readonly read: (body: string) => string
}

/** Subscribes a client, and resolves with the RECEIPTs. Its connection should last: if it breaks, messages are lost. */
export async function listen(stage: Stage, options: ListenOptions): Promise<void> {
  const { node, role, destinations, hearing, read, user = 'listener' } = options
  const subscribed = deferred()
  const waiting = new Set(destinations)
  const link = new StompLink(stage, {
    cluster: node,
    home: 0,
    token: await faultToken(user, role),
    onConnect: () => undefined,
    onReceipt: ({ headers }) => {
      waiting.delete(headers['receipt-id'] ?? '')
      if (waiting.size === 0) subscribed.resolve()
    },
    onClose: () => undefined,
  })
  await link.open()
  for (const destination of destinations) {
    const headers = { id: destination, receipt: destination }
    link.client.subscribe(destination, ({ body }) => hearing.hear(read(body)), headers)
  }
  await subscribed.promise
}
