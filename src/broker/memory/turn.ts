/** Something with messages to hand out. */
export interface TurnTask {
  /** @returns whether there is more to do, in another turn */
  dispatch(): boolean
}

/**
 * Runs what became due once this turn of the event loop is over: handing messages out from inside
 * the caller's `send` would let a receiver act in the middle of it.
 */
export class Turn {
  #due = new Set<TurnTask>()
  #scheduled: NodeJS.Immediate | undefined

  schedule(task: TurnTask): void {
    this.#due.add(task)
    this.#scheduled ??= setImmediate(() => {
      this.#run()
    })
  }

  close(): void {
    clearImmediate(this.#scheduled)
    this.#due.clear()
  }

  #run(): void {
    this.#scheduled = undefined
    const due = this.#due
    this.#due = new Set()
    for (const task of due) {
      if (task.dispatch()) this.schedule(task)
    }
  }
}
