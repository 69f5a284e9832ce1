import { EventEmitter } from 'node:events'

/** Tells whoever waits that something changed. */
export class Changes {
  readonly #emitter = new EventEmitter()

  constructor() {
    this.#emitter.setMaxListeners(0)
  }

  tell = (): void => {
    this.#emitter.emit('change')
  }

  /** Resolves at the next change. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#emitter.once('change', () => resolve()))
  }
}
