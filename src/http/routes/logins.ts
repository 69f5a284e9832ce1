import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import {
  LOGIN_POST,
  LOGOUT_POST,
  REFRESH_POST,
  type LoginPost,
  type LogoutPost,
  type RefreshPost,
} from '../../../protocol/payload/login.ts'
import { checkPayload } from '../../app/payload.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Grant, Logins } from '../../auth/logins.ts'
import { RequestError } from '../../errors.ts'
import { bearerToken } from '../../auth/bearer-token.ts'
import { requireCaller, type Exchange } from '../caller.ts'

export interface LoginRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly logins: Logins
}

const loginPost = Compile(LOGIN_POST)
const refreshPost = Compile(REFRESH_POST)
const logoutPost = Compile(LOGOUT_POST)

/** POST `/api/v1/auth/register`, `/login`, `/refresh` and `/logout`, for built-in accounts (CONTRACT, section 3). */
export function registerLogins(server: FastifyInstance, parts: LoginRouteParts): void {
  const { logins } = parts
  server.post('/api/v1/auth/register', async (request, reply) => {
    const { username, password } = loginOf(request.body)
    return answer({ request, reply }, 201, await logins.register(username, password))
  })
  server.post('/api/v1/auth/login', async (request, reply) => {
    const { username, password } = loginOf(request.body)
    const isAbandoned = (): boolean => request.raw.destroyed
    return answer({ request, reply }, 200, await logins.login(username, password, { isAbandoned }))
  })
  server.post('/api/v1/auth/refresh', async (request, reply) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
    const { refreshToken } = checkPayload(refreshPost, REFRESH_POST, request.body) as RefreshPost
    return answer({ request, reply }, 200, await logins.refresh(refreshToken))
  })
  server.post('/api/v1/auth/logout', async (request, reply) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
    const post = checkPayload(logoutPost, LOGOUT_POST, request.body ?? {}) as LogoutPost
    const login = await endingLogin(parts, { request, reply }, post)
    await logins.logout(login, { everywhere: post.everywhere ?? false })
    return reply.code(204).send()
  })
}

function loginOf(body: unknown): LoginPost {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
  return checkPayload(loginPost, LOGIN_POST, body) as LoginPost
}

/** Tokens are nobody else's: no cache keeps them (RFC 6749, section 5.1). */
function answer({ reply }: Exchange, code: number, grant: Grant | undefined) {
  if (grant === undefined) throw new RequestError(401, 'unauthenticated', 'authentication failed')
  return reply.code(code).header('cache-control', 'no-store').send(grant)
}

/** By the refresh token, used up or not, or else by the bearer token. */
async function endingLogin(
  { authenticator, logins }: LoginRouteParts,
  exchange: Exchange,
  { refreshToken }: LogoutPost,
): Promise<{ readonly id: string; readonly user: string }> {
  if (refreshToken !== undefined && bearerToken(exchange.request.headers.authorization) === undefined) {
    const login = await logins.loginOf(refreshToken)
    if (login === undefined) throw new RequestError(401, 'unauthenticated', 'authentication failed')
    return login
  }
  const { name, loginId } = await requireCaller(authenticator, exchange)
  if (loginId === undefined)
    throw new RequestError(409, 'conflict', 'this token is of no login, so none can end')
  return { id: loginId, user: name }
}
