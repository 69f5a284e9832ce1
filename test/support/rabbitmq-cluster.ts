import { randomUUID } from 'node:crypto'
import { type PrivateCluster, startPrivateCluster } from '../../rabbitmq/private-cluster.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface TestCluster {
  readonly cluster: PrivateCluster
  /** Empty, and gone with the test. */
  readonly vhost: string
}

let ofThisProcess: Promise<PrivateCluster> | undefined

/**
 * A virtual host of three nodes of RabbitMQ, which are started once in a process and end with it. Whoever breaks
 * one of them mends it.
 */
export async function useRabbitMqCluster(t: Teardown): Promise<TestCluster> {
  ofThisProcess ??= startPrivateCluster()
  const cluster = await ofThisProcess
  const [node] = cluster.nodes
  const vhost = `test-${randomUUID()}`
  await node!.addVhost(vhost)
  t.teardown(async () => {
    await node!.ctl('delete_vhost', vhost)
  })
  return { cluster, vhost }
}
