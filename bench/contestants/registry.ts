import type { Contestant } from './contestant.ts'
import { rawWs } from './raw-ws.ts'
import { relay } from './relay.ts'
import { webStomp } from './web-stomp.ts'

/** In the order of their turns: `raw-ws` follows the relay, whose frames per write it takes over. */
export function registeredContestants(checkout: string): readonly Contestant[] {
  return [
    relay({ name: 'relay', checkout, broker: 'rabbitmq' }),
    relay({ name: 'memory', checkout, broker: 'memory' }),
    webStomp,
    rawWs,
  ]
}
