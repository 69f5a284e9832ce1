import { ClusterScene } from './cluster-scene.ts'
import type { Fault } from './fault.ts'

/**
 * `kill -9` of the node of a cluster that one node of the relay publishes to and declares on, while another
 * one keeps its inbox.
 */
export const CLUSTER_PUBLISHER_KILLED: Fault = {
  name: 'cluster-publisher-killed',
  short: { messages: 600, blows: 1 },
  long: { messages: 20_000, blows: 10 },
  // At most one for each node of the relay.
  maxHoles: ({ blows }) => blows * 2,
  async run(stage, { messages, blows }) {
    const scene = await ClusterScene.start(stage)
    scene.spareThird()
    return scene.run({
      fault: `kill -9 of who is published to, ${blows} times`,
      messages,
      blows,
      async prepare() {
        const home = await scene.homeOf('west')
        if (scene.publisherAt() === home) await scene.moveFrom(home, 'amqp')
      },
      async strike() {
        const node = scene.publisherAt()
        await node.kill()
        return async () => {
          await node.start()
          await scene.cluster.untilWhole()
        }
      },
    })
  },
}
