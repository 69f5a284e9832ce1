import type { Contestant } from './contestant.ts'
import { rawWs } from './raw-ws.ts'
import { relay } from './relay.ts'
import { webStomp } from './web-stomp.ts'

/**
 * In the order of their turns: `raw-ws` follows the relay, whose frames per write it takes over.
 * @param nodeArgs for Node, where it runs this project
 */
export function registeredContestants(
  checkout: string,
  nodeArgs: readonly string[] = [],
): readonly Contestant[] {
  return [
    relay({ name: 'relay', checkout, broker: 'rabbitmq', database: 'sqlite', nodeArgs }),
    relay({ name: 'relay+postgres', checkout, broker: 'rabbitmq', database: 'postgres', nodeArgs }),
    relay({ name: 'memory', checkout, broker: 'memory', database: 'sqlite', nodeArgs }),
    webStomp,
    rawWs,
  ]
}
