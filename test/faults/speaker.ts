import { type Deferred, deferred } from '../../src/lib/deferred.ts'

/** Somebody who publishes, and is told of each of its messages when it is safe. */
export abstract class Speaker {
  /** Its messages are `NAME-1`, `NAME-2` and so on. */
  readonly name: string
  /** In the order of publishing. */
  readonly said: string[] = []
  /** Called for each message when its receipt has come. */
  onTold: () => void = () => undefined
  protected readonly untold = new Set<string>()
  #allTold: Deferred<void> | undefined

  protected constructor(name: string) {
    this.name = name
  }

  protected abstract publish(message: string): void

  /** Publishes so many at once; resolves when all were receipted. */
  async say(count: number): Promise<void> {
    this.#allTold = deferred()
    for (let i = 0; i < count; i += 1) {
      const message = `${this.name}-${this.said.length + 1}`
      this.said.push(message)
      this.untold.add(message)
      this.publish(message)
    }
    await this.#allTold.promise
  }

  protected told(message: string): void {
    if (!this.untold.delete(message)) return
    this.onTold()
    if (this.untold.size === 0) this.#allTold?.resolve()
  }

  protected failed(reason: string): void {
    this.#allTold?.reject(new Error(`${this.name}: ${reason}`))
  }
}

/** Whose message it is. */
export function originOf(message: string): string {
  return message.slice(0, message.lastIndexOf('-'))
}
