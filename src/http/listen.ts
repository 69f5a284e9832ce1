import type { FastifyInstance } from 'fastify'
import { NodeError } from '../errors.ts'

/** @throws NodeError `cannot-listen`, where the port is taken for example */
export async function listen(
  server: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    throw new NodeError('cannot-listen', `cannot listen on ${host}:${port}: ${String(cause)}`, { cause })
  }
}
