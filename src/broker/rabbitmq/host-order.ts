export interface Host {
  readonly host: string
  readonly port: number
}

/**
 * The hosts of one URL in the order in which to try them: the last good one first. Shared by all that connect
 * to them, so that nobody waits for a dead host that another one has found dead.
 */
export class HostOrder {
  readonly #hosts: readonly Host[]
  #first = 0

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts
  }

  /** As of now: later findings do not change a list. */
  list(): readonly Host[] {
    return [...this.#hosts.slice(this.#first), ...this.#hosts.slice(0, this.#first)]
  }

  /** This one has served just now. */
  found(host: Host): void {
    this.#first = Math.max(0, this.#hosts.indexOf(host))
  }
}
