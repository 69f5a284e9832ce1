import type { InboundCall } from './call.ts'

/**
 * Looks at a frame before it takes effect, and refuses it by throwing or rejecting: `MessageError`
 * where the session lives on, anything else where it ends. Interceptors run in order, each after the
 * one before has finished (Spring's `ChannelInterceptor.preSend`, except that a refusal is always told
 * to the client). One that needs no I/O returns nothing rather than a promise: this is the hot path.
 */
export type Interceptor = (call: InboundCall) => void | Promise<void>

/** Runs the whole chain. Returns a promise only where an interceptor did. */
export function runChain(
  interceptors: readonly Interceptor[],
  call: InboundCall,
  from = 0,
): void | Promise<void> {
  for (let i = from; i < interceptors.length; i++) {
    const pending = interceptors[i]?.(call)
    if (pending !== undefined) return pending.then(() => runChain(interceptors, call, i + 1))
  }
  return undefined
}
