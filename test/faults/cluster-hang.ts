import { ClusterScene } from './cluster-scene.ts'
import type { Fault } from './fault.ts'

/**
 * The node that one node of the relay is connected to hangs (SIGSTOP): it holds its connections and answers
 * nobody. The other two wait for it (`net_ticktime`) and go on; it continues when everything has recovered.
 */
export const CLUSTER_HANG: Fault = {
  name: 'cluster-hang',
  short: { messages: 600, blows: 1 },
  long: { messages: 10_000, blows: 5 },
  maxHoles: ({ blows }) => blows * 4,
  async run(stage, { messages, blows }) {
    const scene = await ClusterScene.start(stage)
    return scene.run({
      fault: `one of three hangs, ${blows} times`,
      messages,
      blows,
      async strike() {
        const hung = await scene.homeOf('west')
        hung.freeze()
        return async () => scene.cluster.thaw(hung)
      },
    })
  },
}
