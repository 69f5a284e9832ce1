import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import { Compile } from 'typebox/compile'
import {
  GRANT,
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
import type { Asker } from '../../auth/passwords.ts'
import { RequestError } from '../../errors.ts'
import type { Cors } from '../cors.ts'
import { schemaOf, type Answer } from '../description/described.ts'
import { requireCaller, type Exchange } from '../caller.ts'

export interface LoginRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly logins: Logins
  readonly cors: Cors
}

const loginPost = Compile(LOGIN_POST)
const refreshPost = Compile(REFRESH_POST)
const logoutPost = Compile(LOGOUT_POST)

const PATH = '/api/v1/auth'
const NAMES = ['register', 'login', 'refresh', 'logout'] as const

const GRANTED: Answer = { description: 'Tokens', schema: GRANT }

const SCHEMAS: Readonly<Record<(typeof NAMES)[number], FastifySchema>> = {
  register: schemaOf({
    tag: 'accounts',
    summary: 'Makes an account and logs in',
    roles: 'anybody',
    body: LOGIN_POST,
    answers: { 201: GRANTED },
    problems: [409],
  }),
  login: schemaOf({
    tag: 'accounts',
    summary: 'Logs in',
    roles: 'anybody',
    body: LOGIN_POST,
    answers: { 200: GRANTED },
    problems: [401],
  }),
  refresh: schemaOf({
    tag: 'accounts',
    summary: 'Exchanges a refresh token, which is used up then',
    roles: 'anybody',
    body: REFRESH_POST,
    answers: { 200: GRANTED },
    problems: [401],
  }),
  logout: schemaOf({
    tag: 'accounts',
    summary: 'Ends a login, by its refresh token or by the bearer token',
    body: LOGOUT_POST,
    answers: { 204: { description: 'It has ended' } },
    problems: [409],
  }),
}

/** POST `/api/v1/auth/register`, `/login`, `/refresh` and `/logout`, for built-in accounts (CONTRACT, section 3). */
export function registerLogins(server: FastifyInstance, parts: LoginRouteParts): void {
  const { logins, cors } = parts
  const { onRequest } = cors
  cors.registerPreflight(
    server,
    NAMES.map((name) => `${PATH}/${name}`),
    'POST',
  )
  server.post(`${PATH}/register`, { onRequest, schema: SCHEMAS.register }, async (request, reply) => {
    const { username, password } = loginOf(request.body)
    const grant = await logins.register(username, password, askerOf(request))
    return answer({ request, reply }, 201, grant)
  })
  server.post(`${PATH}/login`, { onRequest, schema: SCHEMAS.login }, async (request, reply) => {
    const { username, password } = loginOf(request.body)
    return answer({ request, reply }, 200, await logins.login(username, password, askerOf(request)))
  })
  server.post(`${PATH}/refresh`, { onRequest, schema: SCHEMAS.refresh }, async (request, reply) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
    const { refreshToken } = checkPayload(refreshPost, REFRESH_POST, request.body) as RefreshPost
    return answer({ request, reply }, 200, await logins.refresh(refreshToken, askerOf(request)))
  })
  server.post(`${PATH}/logout`, { onRequest, schema: SCHEMAS.logout }, async (request, reply) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
    const post = checkPayload(logoutPost, LOGOUT_POST, request.body ?? {}) as LogoutPost
    const login = await endingLogin(parts, { request, reply }, post)
    await logins.logout(login, { everywhere: post.everywhere ?? false }, askerOf(request))
    return reply.code(204).send()
  })
}

/** The same paths where an identity provider has the accounts. */
export function refuseLogins(server: FastifyInstance): void {
  for (const name of NAMES) {
    server.post(`${PATH}/${name}`, { schema: SCHEMAS[name] }, async () => {
      throw new RequestError(404, 'not-found', 'there are no accounts here: ask the identity provider')
    })
  }
}

function loginOf(body: unknown): LoginPost {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
  return checkPayload(loginPost, LOGIN_POST, body) as LoginPost
}

function askerOf(request: FastifyRequest): Asker {
  return { address: request.ip, isAbandoned: () => request.raw.socket.destroyed }
}

/** Tokens are nobody else's: no cache keeps them (RFC 6749, section 5.1). */
function answer(exchange: Exchange, code: number, grant: Grant | undefined) {
  if (grant === undefined) throw unauthenticated(exchange)
  return exchange.reply.code(code).header('cache-control', 'no-store').send(grant)
}

/** By the refresh token, used up or not, or else by the bearer token, which may be over by then. */
async function endingLogin(
  { authenticator, logins }: LoginRouteParts,
  exchange: Exchange,
  { refreshToken }: LogoutPost,
): Promise<{ readonly id: string; readonly user: string }> {
  if (refreshToken !== undefined) {
    const login = await logins.loginOf(refreshToken)
    if (login === undefined) throw unauthenticated(exchange)
    return login
  }
  const { name, loginId } = await requireCaller(authenticator, exchange)
  if (loginId === undefined) {
    throw new RequestError(409, 'conflict', 'this token is of no login, so none can end')
  }
  return { id: loginId, user: name }
}

/** What was wrong is nobody's business. */
function unauthenticated({ reply }: Exchange): RequestError {
  void reply.header('www-authenticate', 'Bearer')
  return new RequestError(401, 'unauthenticated', 'authentication failed')
}
