import type { ServerResponse } from 'node:http'

/** Resolves when an answer is over and out, or its client has left, which may have been before. */
export function whenClosed(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (raw.destroyed) resolve()
    else raw.once('close', resolve)
  })
}
