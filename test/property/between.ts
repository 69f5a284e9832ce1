import type { Broker, BrokerMessage } from '../../src/broker/broker.ts'
import type { Chance } from './chance.ts'
import type { Life } from './life.ts'
import type { RelayNode } from './relay-node.ts'
import type { Tally } from './tally.ts'
import type { Weather } from './weather.ts'

export interface BetweenParts {
  readonly chance: Chance
  readonly weather: Weather
  readonly tally: Tally
}

/** The broker between the nodes: what is published at one comes to all over their links. */
export interface Between {
  /** Whether nobody can publish. */
  isAway: boolean
  /** Nothing is refused any more. */
  isKind: boolean
  /** Nothing is on its way. */
  readonly isIdle: boolean
  /** Resolves when what was published has come to these nodes, where `isIdle` does not tell. */
  drained(nodes: readonly RelayNode[]): Promise<void>
  /** A node's way to it, for one life. */
  join(ends: WayEnds): Promise<Way>
}

/** What a way tells. */
export interface WayEnds {
  readonly nodeId: string
  /** The node may have missed some messages. */
  readonly tellHole: (reason: string) => void
  /** Nothing is under way any more. */
  readonly onIdle: () => void
}

export interface Way {
  /** The adapter whose inbox the node reads. */
  readonly inner: Broker
  readonly link: CutLink
  /** What `Broker.publish` promises to one life of a node. */
  publish(message: BrokerMessage, life: Life): Promise<void>
  /** The node is gone. Idempotent. */
  end(): void
}

/** The link over which messages come to a node. */
export interface CutLink {
  readonly isCut: boolean
  cut(): void
  /** @param isLost whether what came in between is lost */
  mend(isLost: boolean): void
  /** A reader that is being replayed goes on. */
  makeRoom(): void
  /** Whether an event was lost here, and nothing later of its stream came that could tell. */
  hasLostTail(epoch: string, offset: number): boolean
}
