import { FACT_CHANGED, ownerOf, sightOf } from '../auth/fact-change.ts'
import { decide, factBehind, type Fact, type PolicyFacts, type PolicyRequest } from '../auth/policy.ts'
import type { Broker } from '../broker/broker.ts'
import { Inquiries } from './inquiries.ts'
import { Permit } from './permit.ts'
import { tellsOfOtherOwner, tellsOfSight } from './telling-events.ts'

export interface PermitsParts {
  readonly facts: PolicyFacts
  readonly broker: Pick<Broker, 'onControl' | 'onStatus'>
}

/**
 * What sessions of this node may do because of a fact that can change while they do it. Nodes tell each
 * other of such changes; what was told while the broker was away is made up for once it is back.
 */
export class Permits {
  readonly #facts: PolicyFacts
  readonly #byFact = new Map<string, Set<Permit>>()
  readonly #inquiries = new Inquiries()

  constructor({ facts, broker }: PermitsParts) {
    this.#facts = facts
    broker.onControl(({ kind, body }) => {
      if (kind === FACT_CHANGED) this.#doubt(this.#byFact.get(body))
    })
    let wasUp = false
    broker.onStatus(({ isUp }) => {
      const isBack = isUp && !wasUp
      wasUp = isUp
      if (isBack) for (const permits of this.#byFact.values()) this.#doubt(permits)
    })
  }

  /** Facts that somebody's permit rests on. */
  get size(): number {
    return this.#byFact.size
  }

  /** What has to be watched for as long as the request lasts; undefined where no fact is behind it. */
  open(request: PolicyRequest): Permit | undefined {
    const behind = factBehind(request)
    if (behind === undefined || this.#isForGood(behind)) return undefined
    const fact = nameOf(behind)
    const permits = this.#byFact.get(fact) ?? new Set()
    const permit = new Permit(request, {
      mayTell: behind.kind === 'owns-order' ? tellsOfOtherOwner : tellsOfSight,
      isForGood: () => this.#isForGood(behind),
      ask: () =>
        this.#inquiries.ask(`${fact} ${request.principal.name}`, async () => decide(request, this.#facts)),
      onEnd: () => this.#forget(fact, permit),
    })
    this.#byFact.set(fact, permits.add(permit))
    return permit
  }

  /** A room that is public stays it. */
  #isForGood({ kind, name }: Fact): boolean {
    return kind === 'sees-room' && this.#facts.isPublicRoom(name)
  }

  #doubt(permits: ReadonlySet<Permit> = new Set()): void {
    for (const permit of permits) permit.doubt()
  }

  #forget(fact: string, permit: Permit): void {
    const permits = this.#byFact.get(fact)
    permits?.delete(permit)
    if (permits?.size === 0) this.#byFact.delete(fact)
  }
}

function nameOf({ kind, name }: Fact): string {
  return kind === 'owns-order' ? ownerOf(name) : sightOf(name)
}
