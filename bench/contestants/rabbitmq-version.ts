import type { PrivateNode } from '../../rabbitmq/private-node.ts'

export async function rabbitmqVersion(node: PrivateNode): Promise<string> {
  const answer = await node.ctl('version')
  return answer.trim().split('\n').at(-1) ?? 'unknown'
}
