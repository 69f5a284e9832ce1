import { ClusterScene } from './cluster-scene.ts'
import type { Fault } from './fault.ts'

/**
 * The node that one node of the relay is connected to is cut off from the other two, and pauses
 * (`pause_minority`). The two heal when everything has recovered.
 */
export const CLUSTER_PARTITION: Fault = {
  name: 'cluster-partition',
  short: { messages: 600, blows: 1 },
  long: { messages: 20_000, blows: 10 },
  // At most one for each node of the relay.
  maxHoles: ({ blows }) => blows * 2,
  async run(stage, { messages, blows }) {
    const scene = await ClusterScene.start(stage)
    return scene.run({
      fault: `one of three cut off, ${blows} times`,
      messages,
      blows,
      async strike() {
        const minority = await scene.homeOf('west')
        await scene.cluster.isolate(minority)
        return async () => scene.cluster.heal(minority)
      },
    })
  },
}
