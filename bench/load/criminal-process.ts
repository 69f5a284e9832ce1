import { constants, setPriority } from 'node:os'
import type { Crime } from '../crimes/crime.ts'
import { ATTACKS, CRIMES } from '../crimes/registry.ts'
import { Scene } from '../crimes/scene.ts'
import type { CrimeStart, FromCriminal, ToCriminal } from './criminal-messages.ts'
import { onParent, tellParent } from './ipc.ts'

// A criminal has a machine of its own, where there is one: what its own process computes must not be
// what disturbs the others.
setPriority(constants.priority.PRIORITY_LOW)

class Criminal {
  readonly #crime: Crime
  readonly #scene: Scene
  #committing: Promise<void> | undefined

  constructor({ crime, endpoint, people }: CrimeStart) {
    const found = [...CRIMES, ...ATTACKS].find(({ name }) => name === crime)
    if (found === undefined) throw new Error(`nobody knows how to commit "${crime}"`)
    this.#crime = found
    this.#scene = new Scene(endpoint, people)
  }

  async prepare(): Promise<void> {
    await this.#crime.prepare?.(this.#scene)
    say({ type: 'prepared' })
  }

  commit(): void {
    this.#committing = this.#crime.commit(this.#scene)
    void this.#scene.begun.then(() => say({ type: 'begun' }))
    this.#committing.catch((error: unknown) => {
      if (!this.#scene.isOver) say({ type: 'failed', reason: String(error) })
    })
  }

  async desist(): Promise<void> {
    this.#scene.end()
    await this.#committing?.catch(() => undefined)
    say({ type: 'record', record: this.#scene.record })
  }
}

let criminal: Criminal | undefined

function say(message: FromCriminal): void {
  tellParent(message)
}

async function handle(message: ToCriminal): Promise<void> {
  if (message.type === 'prepare') {
    criminal = new Criminal(message)
    await criminal.prepare()
  } else if (message.type === 'commit') criminal?.commit()
  else await criminal?.desist()
}

onParent<ToCriminal>(handle, (reason) => say({ type: 'failed', reason }))
