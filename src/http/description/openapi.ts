import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { schemaOf, TAGS } from './described.ts'

/** Swagger UI draws its icons from `data:` URLs. */
const IMAGES = "img-src 'self'"

/**
 * Collects what the routes registered after it say of themselves (OpenAPI 3.1): `/openapi.json`, and a page at
 * `/docs` on which one can try them.
 */
export async function registerOpenApi(server: FastifyInstance, version: string): Promise<void> {
  requireDescriptions(server)
  await server.register(swagger, {
    // Routes without a tag are no part of the API: pages and their files.
    hideUntagged: true,
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'stomp-relay',
        version,
        description: 'The HTTP side. What travels over STOMP is described by `/asyncapi.json`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
  })
  const described = schemaOf({
    tag: 'operators',
    summary: 'This description',
    roles: 'anybody',
    answers: {
      200: { description: 'OpenAPI 3.1', schema: Type.Unknown({ examples: [{ openapi: '3.1.0' }] }) },
    },
  })
  server.get('/openapi.json', { schema: described }, async (_request, reply) => reply.send(server.swagger()))
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'stomp-relay: the HTTP API' },
    uiConfig: { deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true },
    transformStaticCSP: (header) => header.replace(IMAGES, `${IMAGES} data:`),
  })
}

/** A route of the API that says nothing of itself would be missing in the description: the node does not start. */
function requireDescriptions(server: FastifyInstance): void {
  server.addHook('onRoute', ({ method, url, schema, wsHandler }) => {
    // HEAD comes with GET, OPTIONS is for browsers, and STOMP endpoints are in `/asyncapi.json`.
    const methods = [method].flat().filter((each) => each !== 'HEAD' && each !== 'OPTIONS')
    if (!url.startsWith('/api/') || methods.length === 0 || wsHandler !== undefined) return
    if ((schema?.tags ?? []).length === 0) throw new Error(`${methods.join()} ${url} is not described`)
  })
}
