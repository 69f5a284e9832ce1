import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { addVhost, rabbitmqctl } from '../../rabbitmq/ctl.ts'
import { startPrivateNode, type BrokerUrls, type PrivateNode } from '../../rabbitmq/private-node.ts'

/** What the runner puts into `TEST_RABBITMQ`, as JSON, when it has started one node for all files. */
export interface SharedNode extends BrokerUrls {
  readonly ctlEnv: Readonly<Record<string, string>>
}

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface TestRabbitMq extends BrokerUrls {
  /** `rabbitmqctl` on the node that serves this file. */
  ctl(...args: string[]): Promise<string>
  /** The virtual host in the URLs. */
  readonly vhost: string
}

/** The value of `TEST_RABBITMQ` that makes test files share this node. */
export function sharedNodeVariable(node: PrivateNode): string {
  const shared: SharedNode = { stompUrl: node.stompUrl, amqpUrl: node.amqpUrl, ctlEnv: node.ctlEnv }
  return JSON.stringify(shared)
}

/** An empty virtual host: of the run's shared node where there is one, else of a node for this file. */
export async function useRabbitMq(t: Teardown): Promise<TestRabbitMq> {
  const shared = process.env['TEST_RABBITMQ']
  if (shared === undefined || shared === '') return useOwnRabbitMq(t)
  const { stompUrl, amqpUrl, ctlEnv }: SharedNode = JSON.parse(shared)
  const vhost = `test-${randomUUID()}`
  await addVhost(ctlEnv, new URL(amqpUrl).username, vhost)
  t.teardown(async () => {
    await rabbitmqctl(ctlEnv, ['delete_vhost', vhost])
  })
  return {
    stompUrl: withVhost(stompUrl, vhost),
    amqpUrl: withVhost(amqpUrl, vhost),
    vhost,
    ctl: async (...args) => rabbitmqctl(ctlEnv, args),
  }
}

/** A node of this file's own, that it may kill and start again. */
export async function useOwnRabbitMq(t: Teardown): Promise<TestRabbitMq & { readonly node: PrivateNode }> {
  const node = await startPrivateNode()
  t.teardown(async () => node.stop())
  return {
    stompUrl: node.stompUrl,
    amqpUrl: node.amqpUrl,
    vhost: '/',
    node,
    ctl: async (...args) => node.ctl(...args),
  }
}

function withVhost(url: string, vhost: string): string {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(vhost)}`
  return changed.href
}
