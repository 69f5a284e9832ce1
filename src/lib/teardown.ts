/** What has to be closed, in the reverse order of its making. */
export class Teardown {
  readonly #steps: (() => Promise<void>)[] = []
  #running: Promise<void> | undefined

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /**
   * Runs every step, also when one fails. Then rejects with the failure, or with an `AggregateError` of
   * all of them whose message is that of the first. Idempotent.
   */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  /**
   * Runs every step because of `cause`, and rejects with that, whatever the steps do.
   *
   * @param onFailure told why `run` rejected, where it did: nobody else hears of it
   */
  async runAfter(cause: unknown, onFailure: (failure: unknown) => void): Promise<never> {
    await this.run().catch(onFailure)
    throw cause
  }

  async #run(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.toReversed()) {
      await step().catch((error: unknown) => failures.push(error))
    }
    const [first] = failures
    if (failures.length === 1) throw first
    if (failures.length > 1) throw new AggregateError(failures, messageOf(first))
  }
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
