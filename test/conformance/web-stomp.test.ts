import t from 'tap'
import { startPrivateNode } from '../../rabbitmq/private-node.ts'
import { checkTarget } from './check-target.ts'
import { JUDGED } from './judged.ts'

// A missed heart-beat of ten seconds shows only after twenty.
t.setTimeout(240_000)

await t.test(
  "RabbitMQ's Web STOMP differs from the conformance suite as is listed, no more and no less",
  async (t) => {
    const node = await startPrivateNode({ webStomp: true })
    t.teardown(async () => node.stop())
    await checkTarget(t, JUDGED['web-stomp'], { url: `ws://127.0.0.1:${node.webStompPort}/ws`, host: '/' })
  },
)
