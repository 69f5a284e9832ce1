import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TObject, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { checkPayload } from '../app/payload.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { AuthenticatedPrincipal, Role } from '../auth/principal.ts'
import { RequestError } from '../errors.ts'
import { requireCaller, requireRole, type Exchange } from './caller.ts'
import { schemaOf, type Described } from './description/described.ts'
import { parseQuery } from './query.ts'

/** Where the API begins (CONTRACT, section 7). */
export const API = '/api/v1'

/** Who called, and what the schemas let through. */
export interface Call<Params, Query, Body> extends Exchange {
  readonly caller: AuthenticatedPrincipal
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/**
 * One operation of the API: what it takes and answers stands in schemas, which check what comes and are what
 * `/openapi.json` is made of.
 */
export interface Endpoint<
  Params extends TObject,
  Query extends TObject,
  Body extends TSchema,
> extends Described {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As Fastify writes it: `/api/v1/rooms/:room`. */
  readonly path: string
  /** Older names of the same. */
  readonly aliases?: readonly string[]
  readonly roles?: readonly Role[]
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /**
   * What it resolves with is sent with the first of `answers`, unless it has sent something itself and resolves
   * with `reply`. Rejects with `MessageError` or `RequestError`.
   */
  handle(call: Call<Static<Params>, Static<Query>, Static<Body>>): Promise<unknown>
}

type Check<S extends TSchema> = (value: unknown) => Static<S>

/** Adds the routes of an endpoint. The caller is asked for first: without rights nobody learns what would fit. */
export function registerEndpoint<
  Params extends TObject = TObject,
  Query extends TObject = TObject,
  Body extends TSchema = TSchema,
>(
  server: FastifyInstance,
  authenticator: Pick<Authenticator, 'authenticate'>,
  endpoint: Endpoint<Params, Query, Body>,
): void {
  const { method, path, aliases = [], roles, params, query, body, answers } = endpoint
  const paramsOf = paramsCheck(params)
  const queryOf = queryCheck(query)
  const bodyOf = bodyCheck(body)
  const status = Number(Object.keys(answers)[0])
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const exchange = { request, reply }
    const caller =
      roles === undefined
        ? await requireCaller(authenticator, exchange)
        : await requireRole(authenticator, exchange, roles)
    const call = {
      ...exchange,
      caller,
      params: paramsOf(request.params),
      query: queryOf(request.query),
      body: bodyOf(request.body),
    }
    const answer = await endpoint.handle(call)
    return answer === reply ? reply : reply.code(status).send(answer)
  }
  const schema = schemaOf(endpoint)
  for (const url of [path, ...aliases]) {
    server.route({ method, url, schema: url === path ? schema : { ...schema, deprecated: true }, handler })
  }
}

function paramsCheck<S extends TObject>(schema: S | undefined): Check<S> {
  const validator = schema && Compile(schema)
  return (value) => {
    if (validator !== undefined && !validator.Check(value)) {
      throw new RequestError(404, 'not-found', 'there is nothing here')
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked
    return value as Static<S>
  }
}

function queryCheck<S extends TObject>(schema: S | undefined): Check<S> {
  const validator = schema && Compile(schema)
  return (value) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a schema nobody reads it
    if (validator === undefined) return {} as Static<S>
    return parseQuery(validator, value)
  }
}

function bodyCheck<S extends TSchema>(schema: S | undefined): Check<S> {
  const validator: Validator | undefined = schema && Compile(schema)
  return (value) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a schema nobody reads it
    if (schema === undefined || validator === undefined) return undefined as Static<S>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `checkPayload` has checked it
    return checkPayload(validator, schema, value) as Static<S>
  }
}
