import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { asyncApi } from './asyncapi.ts'
import { schemaOf } from './described.ts'
import { registerOpenApi } from './openapi.ts'

/** `/openapi.json`, `/docs` and `/asyncapi.json`. Only routes registered after it are described. */
export async function registerDescriptions(
  server: FastifyInstance,
  { version, endpoints }: { readonly version: string; readonly endpoints: readonly string[] },
): Promise<void> {
  await registerOpenApi(server, version)
  const document = asyncApi(version, endpoints)
  const schema = schemaOf({
    tag: 'operators',
    summary: 'What travels over STOMP',
    roles: 'anybody',
    answers: {
      200: { description: 'AsyncAPI 3.0', schema: Type.Unknown({ examples: [{ asyncapi: '3.0.0' }] }) },
    },
  })
  server.get('/asyncapi.json', { schema }, async () => document)
}
