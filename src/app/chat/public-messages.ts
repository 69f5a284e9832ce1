import { PUBLIC_MESSAGE_SEND } from '../../../protocol/payload/public-message.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { App } from '../app.ts'
import { sendMessage } from './send-message.ts'

/** `/app/messages` and its older name `/app/send`: to everybody, or with a `receiver` to one user. */
export function registerPublicMessages(app: App, appender: StreamAppender): void {
  for (const pattern of ['/app/messages', '/app/send']) {
    app.message(pattern, {
      payload: PUBLIC_MESSAGE_SEND,
      async handle({ principal }, payload) {
        // The body may claim another sender; only the authenticated name counts.
        await sendMessage(appender, principal.name, payload)
      },
    })
  }
}
