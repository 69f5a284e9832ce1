import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator } from '../auth/authenticator.ts'
import { bearerToken } from '../auth/bearer-token.ts'
import type { Principal, Role } from '../auth/principal.ts'
import { RequestError } from '../errors.ts'

/**
 * Who calls, by `Authorization: Bearer` (RFC 6750), if one of the roles.
 *
 * @throws RequestError 401 with `WWW-Authenticate` where there is no valid token, 403 without the role
 */
export async function requireRole(
  authenticator: Pick<Authenticator, 'authenticate'>,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  roles: readonly Role[],
): Promise<Principal> {
  const bearer = bearerToken(exchange.request.headers.authorization)
  const principal = bearer === undefined ? undefined : await authenticator.authenticate({ bearer })
  if (principal === undefined) {
    void exchange.reply.header('www-authenticate', 'Bearer')
    throw new RequestError(401, 'unauthenticated', 'a valid bearer token is required')
  }
  if (!principal.roles.some((role) => roles.includes(role))) {
    throw new RequestError(403, 'forbidden', `this is for the role ${roles.join(' or ')}`)
  }
  return principal
}
