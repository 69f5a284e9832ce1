import { OPERATION_POST } from '../../../protocol/payload/operation.ts'
import type { App } from '../app.ts'
import type { Operations } from './operations.ts'

/** `/app/operations`: starts one. How it goes is told at `/user/queue/operations`. */
export function registerOperations(app: App, operations: Pick<Operations, 'start'>): void {
  app.message('/app/operations', {
    payload: OPERATION_POST,
    handle: async ({ principal }, payload) => {
      await operations.start(principal, payload)
    },
  })
}
