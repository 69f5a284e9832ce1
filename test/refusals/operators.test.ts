import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { operatorRefusals } from './cases/operator.ts'
import { judgeRefusal, type Place } from './judge-refusal.ts'

// A node of its own: these cases change what would hold for everybody's.

t.setTimeout(240_000)

const rabbit = await useOwnRabbitMq(t)
const ctl = async (...args: string[]): Promise<string> => rabbit.ctl(...args)
// Channels look for what is overdue at each tick, which is a minute by default.
for (const [name, ms] of [
  ['consumer_timeout', 1_000],
  ['channel_tick_interval', 500],
] as const) {
  await ctl('eval', `application:set_env(rabbit, ${name}, ${ms}).`)
}

/** Three runs of each case at most. One call for all of them: the command line tool takes a second to start. */
const accounts = Array.from({ length: operatorRefusals.length * 3 }, () => `a${randomUUID()}`)
const names = accounts.map((name) => `<<"${name}">>`).join(',')
const add = `rabbit_vhost:add(N, <<"test">>), rabbit_auth_backend_internal:add_user(N, N, <<"test">>),
  rabbit_auth_backend_internal:set_permissions(N, N, <<".*">>, <<".*">>, <<".*">>, <<"test">>)`
await ctl('eval', `lists:foreach(fun(N) -> ${add} end, [${names}]).`)

/** A virtual host and an account that no other run uses, and a relay over them. */
async function placeOf(t: Test): Promise<Place> {
  const account = accounts.pop() ?? 'none is left'
  const own = (url: string): string => `${url.slice(0, url.lastIndexOf('/'))}/${account}`
  const by = (url: string): string => own(url).replace('guest:guest', `${account}:${account}`)
  const place = { stompUrl: by(rabbit.stompUrl), amqpUrl: by(rabbit.amqpUrl) }
  const relay = await useRelay(t, {
    RABBITMQ_STOMP_URL: place.stompUrl,
    RABBITMQ_AMQP_URL: place.amqpUrl,
  })
  return { ...place, relayUrl: relay.url, ctl }
}

for (const refusal of operatorRefusals) await judgeRefusal(t, refusal, { placeOf, isBrief: true })
