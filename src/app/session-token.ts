import { SESSION_TOKEN } from '../../protocol/payload/session-token.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { MessageError } from '../errors.ts'
import type { SessionRegistry } from '../user/session-registry.ts'
import type { App, AppContext } from './app.ts'

export interface SessionTokenParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly registry: Pick<SessionRegistry, 'find'>
}

/** `/app/session/token`: a fresh token of the same user, with which the session goes on (CONTRACT, section 3). */
export function registerSessionToken(app: App, parts: SessionTokenParts): void {
  app.message('/app/session/token', {
    payload: SESSION_TOKEN,
    handle: (context, { token }) => prolong(parts, context, token),
  })
}

/** What the session was let in for must hold on: its subscriptions were allowed by its roles. */
async function prolong(
  { authenticator, registry }: SessionTokenParts,
  { principal, sessionId }: AppContext,
  token: string,
): Promise<void> {
  const fresh = await authenticator.authenticate({ bearer: token })
  if (fresh === undefined || (fresh.expiresAtMs ?? Infinity) <= Date.now()) {
    throw new MessageError('invalid-token', 'the token is not valid, or not any more')
  }
  if (fresh.name !== principal.name) {
    throw new MessageError('invalid-token', 'the token is of somebody else: connect anew with it')
  }
  if (!principal.roles.every((role) => fresh.roles.includes(role))) {
    throw new MessageError('invalid-token', 'the token lacks a role of this session: connect anew with it')
  }
  registry.find(sessionId)?.prolong?.(fresh)
}
