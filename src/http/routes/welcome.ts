import type { FastifyInstance } from 'fastify'

/** GET `/`, for whoever opens the printed address in a browser: what this is and where to go on. */
export function registerWelcome(
  server: FastifyInstance,
  parts: { name: string; endpoints: readonly string[] },
): void {
  const lines = [
    parts.name,
    '',
    ...parts.endpoints.map((endpoint) => `${endpoint}    STOMP over WebSocket (connect with a STOMP client)`),
    '/readyz    whether this node can be used now',
    '/metrics   what it counts',
    '',
  ]
  const text = lines.join('\n')
  server.get('/', async (_request, reply) => reply.type('text/plain; charset=utf-8').send(text))
}
