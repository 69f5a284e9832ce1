import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator } from '../auth/authenticator.ts'
import { bearerToken } from '../auth/bearer-token.ts'
import type { AuthenticatedPrincipal, Principal, Role } from '../auth/principal.ts'
import { RequestError } from '../errors.ts'

/** Whose requests those under way are. */
const callers = new WeakMap<FastifyRequest, AuthenticatedPrincipal>()

/** A request and where its answer goes. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/**
 * Who calls, by `Authorization: Bearer` (RFC 6750), or else by a token that stood in the URL, for
 * routes that browsers call without headers of their own (CONTRACT, section 3).
 *
 * @throws RequestError 401 with `WWW-Authenticate` where there is no valid token
 */
export async function requireCaller(
  authenticator: Pick<Authenticator, 'authenticate'>,
  { request, reply }: Exchange,
  urlToken?: string,
): Promise<AuthenticatedPrincipal> {
  const bearer = bearerToken(request.headers.authorization) ?? urlToken
  const principal = bearer === undefined ? undefined : await authenticator.authenticate({ bearer })
  if (principal === undefined) {
    void reply.header('www-authenticate', 'Bearer')
    throw new RequestError(401, 'unauthenticated', 'a valid bearer token is required')
  }
  callers.set(request, principal)
  return principal
}

/** Who was found out to call, if anybody was. */
export function callerOf(request: FastifyRequest): AuthenticatedPrincipal | undefined {
  return callers.get(request)
}

/**
 * Who calls, if one of the roles.
 *
 * @throws RequestError as `requireCaller`, and 403 without the role
 */
export async function requireRole(
  authenticator: Pick<Authenticator, 'authenticate'>,
  exchange: Exchange,
  roles: readonly Role[],
): Promise<Principal> {
  const principal = await requireCaller(authenticator, exchange)
  if (!principal.roles.some((role) => roles.includes(role))) {
    throw new RequestError(403, 'forbidden', `this is for the role ${roles.join(' or ')}`)
  }
  return principal
}
