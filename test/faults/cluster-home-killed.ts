import { ClusterScene } from './cluster-scene.ts'
import type { Fault } from './fault.ts'

/**
 * `kill -9` of the node of a cluster that keeps the inbox of one node of the relay, which has all its links
 * there too, or every second time none of them. The other two go on; it comes back when everything has
 * recovered without it.
 */
export const CLUSTER_HOME_KILLED: Fault = {
  name: 'cluster-home-killed',
  short: { messages: 800, blows: 2 },
  long: { messages: 20_000, blows: 10 },
  // At most one for each node of the relay.
  maxHoles: ({ blows }) => blows * 2,
  async run(stage, { messages, blows }) {
    const scene = await ClusterScene.start(stage)
    scene.spareThird()
    return scene.run({
      fault: `kill -9 of the home of an inbox, ${blows} times`,
      messages,
      blows,
      async prepare(blow) {
        if (blow % 2 === 1) await scene.moveFrom(await scene.homeOf('west'), 'all')
      },
      async strike() {
        const home = await scene.homeOf('west')
        await home.kill()
        return async () => {
          await home.start()
          await scene.cluster.untilWhole()
          // The one that was lost is back with its bindings, and would gather everything once more.
          await scene.untilOneInbox('west')
        }
      },
    })
  },
}
