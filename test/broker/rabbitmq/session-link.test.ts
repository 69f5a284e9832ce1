import { pino } from 'pino'
import t from 'tap'
import { Alarm } from '../../../src/broker/rabbitmq/alarm.ts'
import { HostOrder } from '../../../src/broker/rabbitmq/host-order.ts'
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, noCounts } from '../../../src/broker/rabbitmq/rabbitmq-settings.ts'
import { SessionLink } from '../../../src/broker/rabbitmq/session-link.ts'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'
import { SessionError } from '../../../src/errors.ts'
import { Inbox } from '../../support/inbox.ts'
import { useRabbitMq } from '../../support/rabbitmq.ts'

// The frames here are such that `session-rules.ts` would not let pass: what versions to come refuse may be more.

const rabbit = await useRabbitMq(t)
const INVALID = ['destination', '/queue/a/b']

async function useLink(t: {
  teardown(fn: () => Promise<void>): void
}): Promise<{ link: SessionLink; ends: Inbox<SessionError> }> {
  const ends = new Inbox<SessionError>()
  const log = pino({ level: 'silent' })
  const url = parseBrokerUrl(rabbit.stompUrl, 'stomp', 61613)
  const link = new SessionLink({
    url,
    hosts: new HostOrder(url.hosts),
    timeouts: DEFAULT_TIMEOUTS,
    limits: DEFAULT_LIMITS,
    alarm: new Alarm({ log, counters: noCounts(), onChange: () => undefined }),
    onMessage: () => undefined,
    onCancelled: () => undefined,
    onEnd: ends.push,
  })
  t.teardown(async () => link.close())
  await link.open()
  return { link, ends }
}

await t.test('an ERROR that may be of a frame without receipt is not taken for the next one', async (t) => {
  const { link, ends } = await useLink(t)
  await link.request([{ command: 'SEND', headers: INVALID }], { isAnswered: false })
  const headers = ['id', 'a', 'destination', '/queue/session-link']
  const subscribed = link.request([{ command: 'SUBSCRIBE', headers }], { isAnswered: true })
  await t.rejects(subscribed, SessionError)
  t.match((await ends.at(0)).message, /the broker ended the session: Invalid destination/)
})

await t.test(
  'an ERROR where every frame was answered is of the one that waits, and ends nothing',
  async (t) => {
    const { link, ends } = await useLink(t)
    await link.request([{ command: 'SEND', headers: ['destination', '/topic/x'] }], { isAnswered: false })
    await link.request([{ command: 'BEGIN', headers: ['transaction', 't'] }], { isAnswered: true })
    const refused = link.request([{ command: 'SEND', headers: INVALID }], { isAnswered: true })
    await t.rejects(refused, { code: 'invalid-destination' })
    await link.request([{ command: 'ABORT', headers: ['transaction', 't'] }], { isAnswered: true })
    t.equal(ends.items.length, 0)
  },
)
