import { IN_PROCESS, RELAY, WEB_STOMP } from './differences.ts'
import type { Difference } from './verdict.ts'
import { ALL_EXTENSIONS, type Extension } from './target.ts'

/** A server that every run of the tests judges. */
export interface Judged {
  readonly title: string
  readonly offers: ReadonlySet<Extension>
  readonly differences: readonly Difference[]
}

/** One virtual host: the one in its URL. */
const relayed = ALL_EXTENSIONS.filter((extension) => extension !== 'virtual-hosts')

export const JUDGED = {
  'in-process': {
    title: 'relay, in-process broker',
    offers: new Set<Extension>([
      'topic',
      'wildcards',
      'queue',
      'nack-requeue',
      'prefetch',
      'temp-queue',
      'amq-queue',
    ]),
    differences: IN_PROCESS,
  },
  relay: { title: 'relay over RabbitMQ', offers: new Set(relayed), differences: RELAY },
  'web-stomp': { title: "RabbitMQ's Web STOMP", offers: new Set(ALL_EXTENSIONS), differences: WEB_STOMP },
} as const satisfies Record<string, Judged>
