import type { Contestant } from './contestant.ts'
import { rawWs } from './raw-ws.ts'
import { relay } from './relay.ts'
import { webStomp } from './web-stomp.ts'

const COMPRESSION = { WS_COMPRESSION: 'on' }

/** The contestant that is attacked, and does nothing else. */
export const EXPOSED = 'exposed'

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
    relay({
      name: EXPOSED,
      checkout,
      broker: 'rabbitmq',
      database: 'sqlite',
      nodeArgs,
      settings: COMPRESSION,
    }),
    webStomp,
    rawWs,
  ]
}
