import type { Audit } from '../../auth/audit.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { decide, type PolicyFacts } from '../../auth/policy.ts'
import type { Principal } from '../../auth/principal.ts'
import { RequestError } from '../../errors.ts'
import { feedSources } from './feed-source.ts'

export interface FeedGuards {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly facts: PolicyFacts
  readonly audit: Pick<Audit, 'record'>
}

/**
 * Lets through who may read the feed of a user: the user, or an admin, if the policy lets them
 * subscribe to each of its destinations too. That an admin reads what is another's is written down.
 *
 * @throws RequestError 403
 */
export async function requireFeed(
  { facts, audit }: FeedGuards,
  { principal, address }: { readonly principal: Principal; readonly address: string },
  user: string,
): Promise<void> {
  const isTheirs = principal.name === user || principal.roles.includes('admin')
  if (!isTheirs) throw new RequestError(403, 'forbidden', 'these are the events of somebody else')
  for (const { subscription } of feedSources(user)) {
    const { destination } = subscription
    if (!(await decide({ principal, action: 'SUBSCRIBE', destination }, facts))) {
      throw new RequestError(403, 'forbidden', `you may not subscribe to ${destination}`)
    }
  }
  if (principal.name !== user) audit.record({ kind: 'feed-read', user: principal.name, address, about: user })
}
