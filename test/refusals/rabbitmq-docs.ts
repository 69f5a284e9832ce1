import { format, resolveConfig } from 'prettier'
import { VIOLATIONS } from '../../protocol/errors.ts'
import { fatalRefusals } from './cases/fatal.ts'
import { operatorRefusals } from './cases/operator.ts'
import { silentRefusals } from './cases/silent.ts'
import { softRefusals } from './cases/soft.ts'
import { faultCloseCode, faultMessage } from './fault-ending.ts'
import { ELSEWHERE, HARMS, type Harm, type TestPlace } from './harms.ts'
import type { Outcome, Refusal } from './refusal.ts'

/** The generated page; `scripts/rabbitmq-docs.ts` writes it. */
export const RABBITMQ_PAGE = new URL('../../docs/rabbitmq.md', import.meta.url)

const INTRODUCTION = `# RabbitMQ's STOMP plugin, through the relay

What clients of RabbitMQ 3.10.8 meet, and what the relay's clients meet instead. The page is made from
\`test/refusals\` by \`node --import tsx scripts/rabbitmq-docs.ts\`; a test fails while it is stale, and where a row names a
test that does not exist. [Conformance](conformance.md) judges both servers clause by clause.`

const REFUSALS = `## What RabbitMQ refuses

Each row is a test (\`test/refusals\`), which provokes it on RabbitMQ over TCP, through the relay as a client that does
not listen at \`/user/queue/errors\`, and as one that does. There is one outcome each:

- **fault \`code\`**: a client that subscribes to \`/user/queue/errors\` gets \`{code, message, destination, receipt?}\` there,
  and its session lives. Any other gets ERROR \`${faultMessage('invalid-header')}…\` and close ${faultCloseCode('invalid-header')}; for \`broker-unavailable\`
  ERROR \`${faultMessage('broker-unavailable')}…\` and close ${faultCloseCode('broker-unavailable')}, which says that coming back may help.
- **ERROR** and close, whoever listens. A client whose own session at the broker ends keeps nothing: what it had not
  acknowledged goes back to its queues, and other clients notice nothing.

Where the refused frame could be read and asked for a receipt, ERROR has its \`receipt-id\`, the fault its \`receipt\`, and no
RECEIPT comes. "By" tells who refuses: the relay, before RabbitMQ sees the frame, or RabbitMQ.`

const GROUPS: readonly (readonly [string, readonly Refusal[]])[] = [
  ['RabbitMQ says ERROR and leaves the connection open', softRefusals],
  ['RabbitMQ says ERROR and closes', fatalRefusals],
  ['RabbitMQ closes without a word', silentRefusals],
  ['What operators do', operatorRefusals],
]

/** Ids of all cases. */
export const REFUSAL_IDS: readonly string[] = GROUPS.flatMap(([, cases]) => cases.map(({ id }) => id))

export async function rabbitMqPage(): Promise<string> {
  const parts = [
    INTRODUCTION,
    harms('## Where RabbitMQ does harm', HARMS),
    REFUSALS,
    ...GROUPS.map(([title, cases]) => group(title, cases)),
    harms('### What no client of the relay can provoke', ELSEWHERE),
  ]
  return format(parts.join('\n\n'), { ...(await resolveConfig(RABBITMQ_PAGE)), parser: 'markdown' })
}

function harms(title: string, rows: readonly Harm[]): string {
  const lines = rows.map(
    ({ what, rabbitMq, relay, tests }) =>
      `| ${what} | ${rabbitMq} | ${relay} | ${tests.map(testText).join(', ')} |`,
  )
  return [title, '', '| | RabbitMQ | the relay | tests |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

function testText(place: TestPlace): string {
  if ('conformance' in place) return `conformance \`${place.conformance}\``
  if ('refusal' in place) return `refusal \`${place.refusal}\``
  return `\`${place.file}\``
}

function group(title: string, cases: readonly Refusal[]): string {
  const lines = cases.map(
    ({ id, what, rabbitMq, relay }) =>
      `| \`${id}\` | ${what} | ${answerText(rabbitMq)} | ${outcomeText(relay)} | ${'by' in relay ? relay.by : ''} |`,
  )
  const head = [
    '| case | what happens | RabbitMQ | through the relay | by |',
    '| --- | --- | --- | --- | --- |',
  ]
  return [`### ${title}`, '', ...head, ...lines].join('\n')
}

function answerText({ error, closes }: Refusal['rabbitMq']): string {
  if (error === undefined) return 'close'
  return `ERROR \`${error}\`${closes ? ', close' : ''}`
}

function outcomeText(outcome: Outcome): string {
  if ('passes' in outcome) return `not refused: ${outcome.passes}`
  if ('fault' in outcome) return `fault \`${outcome.fault}\``
  const { message, closeCode } = VIOLATIONS[outcome.violation]
  return `ERROR \`${message}\`, close ${closeCode}`
}
