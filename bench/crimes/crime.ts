import type { Scene } from './scene.ts'

/** One way in which one client may try to disturb the others. Runs in a process of its own. */
export interface Crime {
  readonly name: string
  /** What the client may do by right: those with less cannot do everything that is wrong. */
  readonly role: 'user' | 'service'
  /** What has to be there before. Not measured. */
  prepare?(scene: Scene): Promise<void>
  /** Goes on until the scene is over; what it then waits for rejects, or resolves, at once. */
  commit(scene: Scene): Promise<void>
}
